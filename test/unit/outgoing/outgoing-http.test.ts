import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer, type Socket, type Server as TcpServer } from "node:net";
import { checkedLookup } from "../../../mixins/outgoing/checked-lookup.ts";
import type { OutgoingError } from "../../../mixins/outgoing/outgoing-error.ts";
import { type OutgoingCall, OutgoingHttp, type OutgoingOptions } from "../../../mixins/outgoing/outgoing-http.ts";
import { isPublicAddress } from "../../../mixins/outgoing/public-address.ts";
import { eventually } from "../../support/eventually.ts";
import { expectTook, expectWithin } from "../../support/in-time.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function outgoing(options: Partial<OutgoingOptions> = {}): OutgoingHttp {
  const made = new OutgoingHttp({ receivers: "any", ...options });
  ends.push(async () => made.close());
  return made;
}

async function listen<Any extends Server | TcpServer>(
  server: Any,
): Promise<{ server: Any; port: number; url: string }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}/hook` };
}

const receiver = (listener: RequestListener) => listen(createHttpServer(listener));
/** A receiver that answers every connection's first bytes by hand. */
const rawReceiver = (onData: (socket: Socket) => void) =>
  listen(createServer((socket) => socket.once("data", () => onData(socket))));

const call = (url: string, more: Partial<OutgoingCall> = {}): OutgoingCall => ({
  ...{ url, headers: { "content-type": "application/json" }, body: '{"a":1}', timeoutMs: 5_000, maxAnswerBytes: 100 },
  ...more,
});

const reasonOf = (made: Promise<unknown>) =>
  made.then(
    () => "answered",
    ({ reason }: OutgoingError) => reason,
  );

test("a call carries its headers and body, and its answer the status, the body and the time", async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const { url } = await receiver(async (request, response) => {
    seen.push({ request, body: Buffer.concat(await request.toArray()).toString() });
    response.writeHead(202).end("好");
  });
  const answer = await outgoing().post(call(url, { body: '{"text":"礼物"}', headers: { "webhook-id": "msg_1" } }));
  expect(answer).toMatchObject({ status: 202, body: "好", ending: "complete" });
  expect(answer.durationMs).toBeGreaterThan(0);
  expect(seen[0]).toMatchObject({ body: '{"text":"礼物"}', request: { method: "POST", url: "/hook" } });
  expect(seen[0]?.request.headers).toMatchObject({ "webhook-id": "msg_1", "content-length": "17" });
});

test("no redirect is followed: it is an answer like others", async () => {
  let visits = 0;
  const inside = await receiver((_request, response) => {
    visits++;
    response.end();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const { url } = await receiver((_request, response) => {
      response.writeHead(status, { location: inside.url }).end();
    });
    expect((await outgoing().post(call(url))).status).toBe(status);
  }
  expect(visits).toBe(0);
});

test("a private address is refused before anything is sent: as an address, and as what a name leads to", async () => {
  let connections = 0;
  const { server, port } = await receiver((_request, response) => response.end());
  server.on("connection", () => connections++);
  const http = outgoing({ receivers: "public", resolve: async () => ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1"] });
  const urls = [`https://127.0.0.1:${port}/`, `https://2130706433:${port}/`, `https://receiver.example:${port}/`];
  const outcomes = await Promise.all(urls.map((url) => reasonOf(http.post(call(url)))));
  expect(outcomes).toEqual(["refusedAddress", "refusedAddress", "refusedAddress"]);
  expect(connections).toBe(0);
});

test("a name is resolved once a connection: the addresses that were checked are those that it connects to", async () => {
  const answers = [["8.8.8.8", "127.0.0.1", "2606:4700::1111"], ["127.0.0.1"]];
  let asked = 0;
  const lookup = checkedLookup(async () => answers[asked++] as string[], isPublicAddress);
  const find = (all: boolean) =>
    new Promise((resolve) => {
      lookup("rebound.example", { all }, (error, found) => resolve(error ? (error as OutgoingError).reason : found));
    });
  expect(await find(true)).toEqual([
    { address: "8.8.8.8", family: 4 },
    { address: "2606:4700::1111", family: 6 },
  ]);
  expect(await find(false)).toBe("refusedAddress");
  expect(asked).toBe(2);
});

test("a name that leads to a public address at the first call and to a private one at the next is refused then", async () => {
  const { port } = await receiver((_request, response) => response.setHeader("connection", "close").end());
  const answers = [["127.0.0.1"], ["10.0.0.1"]];
  // 127.0.0.1 stands for a public address.
  const isAllowed = (address: string) => address === "127.0.0.1" || isPublicAddress(address);
  const http = outgoing({ resolve: async () => answers.shift() as string[], isAllowed });
  expect((await http.post(call(`http://rebound.example:${port}/`))).status).toBe(200);
  expect(await reasonOf(http.post(call(`http://rebound.example:${port}/`)))).toBe("refusedAddress");
});

test("a public receiver gets nothing in clear, also where its URL is one of a time when http was allowed", async () => {
  let visits = 0;
  const { port } = await receiver((_request, response) => {
    visits++;
    response.end();
  });
  const http = outgoing({ receivers: "public", resolve: async () => ["127.0.0.1"], isAllowed: () => true });
  expect(await reasonOf(http.post(call(`http://receiver.example:${port}/`)))).toBe("refusedUrl");
  expect(visits).toBe(0);
});

test("URLs with a user name are refused, and names without an address", async () => {
  const http = outgoing({ resolve: () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })) });
  expect(await reasonOf(http.post(call("http://user:pass@127.0.0.1/")))).toBe("refusedUrl");
  expect(await reasonOf(http.post(call("http://nowhere.example/")))).toBe("nameNotFound");
});

test("this machine's own names are found, and names that do not exist are not", async () => {
  const { port } = await receiver((_request, response) => response.end());
  expect((await outgoing().post(call(`http://localhost:${port}/`))).status).toBe(200);
  expect(await reasonOf(outgoing({ receivers: "public" }).post(call(`https://localhost:${port}/`)))).toBe(
    "refusedAddress",
  );
});

describe("receivers that do not answer well", () => {
  const inTime = { timeoutMs: 150 };
  const enoughMs = 5_000;

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => {}],
    ["half a head", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Le")],
    ["a head that trickles", (socket) => trickle(socket, "HTTP/1.1 200 OK\r\n", "X-A: b\r\n")],
    ["informational heads without end", (socket) => trickle(socket, "", "HTTP/1.1 102 Processing\r\n\r\n")],
  ])("within the time limit comes %s: timedOut", async (_what, answer) => {
    const { url } = await rawReceiver(answer);
    const begun = performance.now();
    expect(await reasonOf(outgoing().post(call(url, inTime)))).toBe("timedOut");
    expectWithin("the end of the call", enoughMs, begun);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["stops in its body", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")],
    ["trickles its body", (socket) => trickle(socket, "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "a")],
  ])("a receiver that %s has answered with its status when the time is over", async (_what, answer) => {
    const { url } = await rawReceiver(answer);
    // On a busy machine the time may be over before the head has come.
    const answered = await eventually("a call whose head comes in time", () =>
      outgoing()
        .post(call(url, inTime))
        .catch((error: OutgoingError) => {
          if (error.reason !== "timedOut") throw error;
          return undefined;
        }),
    );
    expect(answered).toMatchObject({ status: 200, ending: "timedOut" });
    expectTook("the call", enoughMs, answered.durationMs);
  });

  test.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"],
  ])("a receiver that closes within its body has answered with its status", async (text) => {
    const { url } = await rawReceiver((socket) => socket.end(text));
    expect(await outgoing().post(call(url))).toMatchObject({ status: 200, body: "ok", ending: "closed" });
  });

  test("more than the most bytes are not read: the beginning is the answer", async () => {
    let sent = 0;
    const { url } = await receiver((_request, response) => {
      const write = () => {
        while (sent < 10_000_000 && !response.destroyed) {
          sent += 10_000;
          if (!response.write("a".repeat(10_000))) break;
        }
      };
      response.on("drain", write);
      write();
    });
    const answer = await outgoing().post(call(url));
    expect(answer).toMatchObject({ status: 200, body: "a".repeat(100), ending: "tooLarge" });
    expect(sent).toBeLessThan(9_000_000);
  });

  test.each([
    ["no HTTP", "hello\r\n\r\n", "invalidAnswer"],
    ["a head beyond its bound", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`, "invalidAnswer"],
    [
      "another protocol",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: Upgrade\r\n\r\n",
      "invalidAnswer",
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "invalidAnswer"],
    ["nothing, and closes", "", "connectionFailed"],
    ["half a head, and closes", "HTTP/1.1 200 OK\r\nX", "connectionFailed"],
  ])("a receiver that sends %s", async (_what, text, reason) => {
    const { url } = await rawReceiver((socket) => socket.end(text));
    expect(await reasonOf(outgoing().post(call(url)))).toBe(reason);
  });

  test("nobody listens, and TLS with somebody who has none", async () => {
    const { server, url, port } = await receiver((_request, response) => response.end());
    expect(await reasonOf(outgoing().post(call(`https://127.0.0.1:${port}/`)))).toBe("connectionFailed");
    server.close();
    await once(server, "close");
    expect(await reasonOf(outgoing().post(call(url)))).toBe("connectionFailed");
  });
});

test("the first request of a connection is not repeated when the receiver closes it", async () => {
  let requests = 0;
  const { url } = await receiver((_request, response) => {
    requests++;
    response.socket?.resetAndDestroy();
  });
  expect(await reasonOf(outgoing().post(call(url)))).toBe("connectionFailed");
  expect(requests).toBe(1);
});

test("a caller gives up: the connection is closed", async () => {
  const { server, url } = await rawReceiver(() => {});
  const given = new AbortController();
  const outcome = reasonOf(outgoing().post(call(url, { signal: given.signal })));
  const [socket] = (await once(server, "connection")) as [Socket];
  given.abort();
  expect(await outcome).toBe("aborted");
  if (!socket.closed) await once(socket, "close");
  expect(await reasonOf(outgoing().post(call(url, { signal: given.signal })))).toBe("aborted");
});

test("calls under way are bounded for each origin and in all, and hanging ones leave nothing behind", async () => {
  const hanging = await rawReceiver(() => {});
  const answering = await receiver((_request, response) => response.end());
  const http = outgoing({ calls: 4, callsPerOrigin: 2 });
  const other = await rawReceiver(() => {});
  const limit = { timeoutMs: 300 };
  // The time of the calls stands still until they are to be over.
  jest.useFakeTimers({
    doNotFake: ["Date", "performance", "hrtime", "nextTick", "queueMicrotask", "setImmediate", "setInterval"],
  });
  try {
    const two = [1, 2].map(() => reasonOf(http.post(call(hanging.url, limit))));
    expect(await reasonOf(http.post(call(hanging.url, limit)))).toBe("busy");
    expect((await http.post(call(answering.url))).status).toBe(200);
    const twoMore = [1, 2].map(() => reasonOf(http.post(call(other.url, limit))));
    expect(await reasonOf(http.post(call(answering.url)))).toBe("busy");
    jest.advanceTimersByTime(limit.timeoutMs);
    expect(await Promise.all([...two, ...twoMore])).toEqual(Array(4).fill("timedOut"));
  } finally {
    jest.useRealTimers();
  }
  expect(http.calls).toBe(0);
  expect((await http.post(call(answering.url))).status).toBe(200);
  const open = () => new Promise<number>((resolve) => hanging.server.getConnections((_error, count) => resolve(count)));
  await eventually("all connections are closed", async () => (await open()) === 0);
});

test("a connection is kept for the next call, and one that turns out to be closed is replaced", async () => {
  const sockets: Socket[] = [];
  let dropAt = Number.POSITIVE_INFINITY;
  let requests = 0;
  const { server, url } = await receiver((_request, response) => {
    requests++;
    if (requests === dropAt) response.socket?.resetAndDestroy();
    else response.end();
  });
  server.on("connection", (socket) => sockets.push(socket));
  const http = outgoing();
  for (let n = 0; n < 3; n++) await http.post(call(url));
  expect(sockets).toHaveLength(1);
  dropAt = 4;
  expect((await http.post(call(url))).status).toBe(200);
  expect([sockets.length, requests]).toEqual([2, 5]);
});

function trickle(socket: Socket, first: string, more: string): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(more), 10);
  socket.once("close", () => clearInterval(timer));
}
