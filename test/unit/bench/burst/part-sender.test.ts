import { createServer, type Server, type Socket } from "node:net";
import { giftOf } from "../../../../bench/burst/burst-gifts.ts";
import { outcome } from "../../../../bench/burst/outcomes.ts";
import { PartSender } from "../../../../bench/burst/part-sender.ts";

const reply = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const success = reply("200 OK", '{"code":200,"msg":"成功","data":{"orderId":"1"}}');
const short = reply("200 OK", '{"code":10010,"msg":"short","data":null}');
const busy = reply("503 Service Unavailable", '{"code":503,"msg":"busy","data":null}');
const unsure = reply("503 Service Unavailable", '{"code":503,"msg":"busy","data":{"orderId":"1"}}');

describe("the sender of a part of the burst", () => {
  let server: Server;
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let answer: (socket: Socket, gift: { requestId: string }) => void;

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("data", (bytes) => {
        const request = bytes.toString();
        received.push(request);
        answer(socket, JSON.parse(request.split("\r\n\r\n")[1] as string));
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(() => {
    received.length = 0;
    sockets.clear();
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  async function send(users: number, connections: number) {
    const ports = [(server.address() as { port: number }).port];
    const tokens = Array.from({ length: users }, (_, i) => `token-${100 + i}`);
    const sender = await PartSender.load({ ports, connections, from: 100, tokens, rooms: 7 });
    const sentEarly = received.length;
    return { ...(await sender.send()), sentEarly };
  }

  it("opens its connections first, and sends each user's gift once, with her token", async () => {
    answer = (socket) => socket.write(success);
    const { outcomes, sentEarly, firstAt, lastAt } = await send(20, 3);
    expect(sentEarly).toBe(0);
    expect(sockets.size).toBe(3);
    expect([...outcomes]).toEqual(new Array(20).fill(outcome.accepted));
    const gifts = received.map((request) => JSON.parse(request.split("\r\n\r\n")[1] as string));
    expect(gifts.toSorted((a, b) => (a.requestId < b.requestId ? -1 : 1))).toEqual(
      Array.from({ length: 20 }, (_, i) => giftOf(100 + i, 7)),
    );
    for (const [i, request] of received.entries())
      expect(request).toContain(`Bearer token-${Number(gifts[i].requestId.slice(6))}\r\n`);
    expect(lastAt).toBeGreaterThanOrEqual(firstAt);
  });

  it("a gift counts as accepted only where the status and the code say so, and as unknown where a 503 names its order", async () => {
    answer = (socket, { requestId }) =>
      socket.write([success, short, busy, unsure][Number(requestId.slice(6)) - 100] as string);
    const { outcomes, refused } = await send(4, 1);
    expect([...outcomes]).toEqual([outcome.accepted, outcome.refused, outcome.refused, outcome.unknown]);
    expect(refused).toEqual({
      '200 {"code":10010,"msg":"short"': 1,
      '503 {"code":503,"msg":"busy"': 1,
      '503 {"code":503,"msg":"busy", names the order': 1,
    });
  });

  it("reads an answer that arrives in pieces", async () => {
    const bytes = Buffer.from(success);
    const at = bytes.indexOf("成") + 1;
    answer = (socket) => {
      socket.write(bytes.subarray(0, at));
      setImmediate(() => socket.write(bytes.subarray(at)));
    };
    const { outcomes } = await send(6, 2);
    expect([...outcomes]).toEqual(new Array(6).fill(outcome.accepted));
  });

  it("a gift whose connection breaks has no answer; the other connections send the rest", async () => {
    let broken = false;
    answer = (socket) => {
      if (broken) return void socket.write(success);
      broken = true;
      socket.destroy();
    };
    const { outcomes } = await send(10, 2);
    expect([...outcomes].filter((one) => one === outcome.unknown)).toHaveLength(1);
    expect([...outcomes].filter((one) => one === outcome.accepted)).toHaveLength(9);
  });

  it("ends where every connection is lost: what was not sent stays unsent", async () => {
    answer = (socket) => socket.destroy();
    const { outcomes } = await send(10, 2);
    expect([...outcomes].filter((one) => one === outcome.unknown)).toHaveLength(2);
    expect([...outcomes].filter((one) => one === outcome.unsent)).toHaveLength(8);
  });
});
