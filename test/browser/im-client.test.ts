/** The IM client of the page against a WebSocket server that plays the IM server's part. No browser is needed. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket as Line } from "node:net";
import { runInThisContext } from "node:vm";
import { deflateRawSync } from "node:zlib";
import { type WebSocket as Socket, WebSocketServer } from "ws";
import { roomFrameV2 } from "../../services/im-server/frames-v2.ts";
import { loadPageModule } from "./page-module.ts";

interface Business {
  msgId: string;
  userId: string;
  bizCode: number;
  data: {
    gifts?: {
      orderIds: string[];
      orderTags: string[];
      senderId: string;
      count: number;
      combo?: { id: string; count: number };
    }[];
    content?: string;
  };
}
interface Client {
  readonly state: string;
  connect(): void;
  close(): void;
  send(bizCode: number, data: object): boolean;
  on<T>(type: string, listener: (event: T) => void): () => void;
}
interface State {
  state: string;
  code?: number;
  reason?: string;
  error?: unknown;
  replaced?: boolean;
  retryInMs?: number;
}
type Frame = { code: number; body: Record<string, unknown> };

const { createImClient } = loadPageModule<{ createImClient: (options: object) => Client }>("js/im-client.js");

/** What came, in order, and waiting for the next of it. */
class Inbox<T> {
  readonly all: T[] = [];
  private waiting: (() => void)[] = [];
  push(item: T): void {
    this.all.push(item);
    for (const wake of this.waiting.splice(0)) wake();
  }
  async until(enough: (all: T[]) => boolean): Promise<T[]> {
    while (!enough(this.all)) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.all;
  }
}

describe("the IM client", () => {
  let server: WebSocketServer;
  let client: Client;
  const states = new Inbox<State>();
  const received = new Inbox<Business>();
  const frames = new Inbox<Frame>();
  const visits = new Inbox<{ socket: Socket; query: URLSearchParams }>();
  let tokens = 0;

  beforeEach(async () => {
    for (const inbox of [states, received, frames, visits]) inbox.all.length = 0;
    tokens = 0;
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    server.on("connection", (socket, request) => {
      socket.on("message", (text) => frames.push(JSON.parse(String(text))));
      visits.push({ socket, query: new URL(request.url!, "ws://x").searchParams });
    });
    const { port } = server.address() as AddressInfo;
    client = makeClient(async () => {
      tokens += 1;
      return `ws://127.0.0.1:${port}/im?token=t${tokens}&roomId=7`;
    });
  });

  afterEach(async () => {
    client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, "close");
  });

  function makeClient(url: (attempt: { signal: AbortSignal }) => unknown, more: object = {}): Client {
    const made = createImClient({ url, backoffBaseMs: 1, backoffCapMs: 5, heartbeatMs: 15, ...more });
    made.on<State>("state", (state) => states.push(state));
    made.on<Business>("business", (message) => received.push(message));
    return made;
  }

  async function visit(number: number): Promise<{ socket: Socket; query: URLSearchParams }> {
    return (await visits.until((all) => all.length >= number))[number - 1]!;
  }

  async function online(number = 1, greeting: object = {}): Promise<Socket> {
    const { socket } = await visit(number);
    socket.send(JSON.stringify({ code: 1001, body: { userId: "5", nodeId: "n1", epoch: "e1", ...greeting } }));
    await states.until((all) => all.filter(({ state }) => state === "online").length >= number);
    return socket;
  }

  function business(socket: Socket, msgId: string, bizCode: number, data: unknown): void {
    socket.send(JSON.stringify({ code: 1003, body: { msgId, appId: 10001, userId: "9", bizCode, data } }));
  }

  const address = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/im?token=t&roomId=7`;

  const acks = (): unknown[] => frames.all.filter(({ code }) => code === 1005).map(({ body }) => body.msgId);

  test("is online once greeted, sends heartbeats, and chat as the contract writes it", async () => {
    client.connect();
    await visit(1);
    expect(client.send(5555, { content: "too early" })).toBe(false);
    await online();
    expect(client.send(5555, { content: "hello" })).toBe(true);
    await frames.until((all) => all.some(({ code }) => code === 1003) && all.some(({ code }) => code === 1004));
    expect(frames.all.find(({ code }) => code === 1003)?.body).toEqual({
      appId: 10001,
      bizCode: 5555,
      data: { content: "hello" },
    });
  });

  test("shows a redelivered notification once and acks it each time", async () => {
    client.connect();
    const socket = await online();
    business(socket, "m1", 5557, { orderId: "o1", code: 10010 });
    business(socket, "m1", 5557, { orderId: "o1", code: 10010 });
    business(socket, "m2", 5561, { orderId: "p1" });
    business(socket, "m3", 5555, { content: "not acked" });
    await received.until((all) => all.length >= 3);
    await frames.until(() => acks().length >= 3);
    expect(received.all.map(({ msgId }) => msgId)).toEqual(["m1", "m2", "m3"]);
    expect(acks()).toEqual(["m1", "m1", "m2"]);
  });

  test("takes data as text, too", async () => {
    client.connect();
    business(await online(), "m1", 5555, JSON.stringify({ content: "hi" }));
    await received.until((all) => all.length >= 1);
    expect(received.all[0]!.data).toEqual({ content: "hi" });
  });

  test("counts over distinct gift orders add up, however they are merged and repeated", async () => {
    client.connect();
    const socket = await online();
    const gift = (orderIds: string[], count: number) => ({ orderIds, count, senderId: "9", giftId: 22, price: 1 });
    business(socket, "m1", 5556, { roomId: 7, seq: 1, epoch: "e1", gifts: [gift(["a"], 3), gift(["b"], 4)] });
    business(socket, "m2", 5556, { roomId: 7, seq: 2, epoch: "e1", gifts: [gift(["a", "b", "c"], 12)] });
    business(socket, "m3", 5556, { roomId: 7, seq: 3, epoch: "e1", gifts: [gift(["c"], 5), gift(["a"], 3)] });
    business(socket, "m4", 5556, { roomId: 7, seq: 4, epoch: "e1", gifts: [gift(["d"], 1)] });
    await received.until((all) => all.length >= 3);
    const gifts = received.all.flatMap(({ data }) => data.gifts!);
    expect(gifts.map(({ orderIds, count }) => [orderIds, count])).toEqual([
      [["a"], 3],
      [["b"], 4],
      [["c"], 5],
      [["d"], 1],
    ]);
  });

  describe("in version 2", () => {
    const place = { epoch: "e1" };
    const frame = (seq: number, gifts: unknown[]) =>
      JSON.stringify({ code: 1003, body: { bizCode: 5556, data: { seq, ...place, gifts } } });
    const compressed = (seq: number, gifts: unknown[]) => deflateRawSync(frame(seq, gifts));

    beforeEach(() => {
      client = makeClient(() => address(), { version: 2 });
    });

    async function greeted(number = 1): Promise<Socket> {
      return online(number, { ...place, seq: 0, v: 2, anchorId: "1" });
    }

    test("asks for it, compressed where this browser can read that, and in version 1 for neither", async () => {
      client.connect();
      const { query } = await visit(1);
      expect([query.get("v"), query.get("compress")]).toEqual(["2", "deflate-raw"]);
      client.close();
      const page = runInThisContext("globalThis") as { DecompressionStream?: unknown };
      const { DecompressionStream: kept } = page;
      delete page.DecompressionStream;
      client = makeClient(() => address(), { version: 2 });
      page.DecompressionStream = kept;
      client.connect();
      const second = (await visit(2)).query;
      expect([second.get("v"), second.get("compress")]).toEqual(["2", null]);
      client.close();
      client = makeClient(() => address());
      client.connect();
      const third = (await visit(3)).query;
      expect([third.get("v"), third.get("compress")]).toEqual([null, null]);
    });

    test("gifts have sender, receiver, gift, count and the tags of their orders, compressed or not", async () => {
      client.connect();
      const socket = await greeted();
      socket.send(frame(1, [["9", 22, 2, "aaaaaaaaaaaa", "bbbbbbbbbbbb", 1, "cccccccccccc"]]));
      socket.send(compressed(2, [["9", 3, 5, "dddddddddddd", { to: "8", combo: { id: "c", count: 5 } }]]));
      await received.until((all) => all.length >= 2);
      expect(received.all.map(({ userId, data }) => [userId, data.gifts])).toEqual([
        [
          "0",
          [
            {
              ...{ senderId: "9", receiverId: "1", giftId: 22, count: 5 },
              orderTags: ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"],
            },
          ],
        ],
        [
          "0",
          [
            {
              ...{ senderId: "9", receiverId: "8", giftId: 3, count: 5, orderTags: ["dddddddddddd"] },
              combo: { id: "c", count: 5 },
            },
          ],
        ],
      ]);
    });

    test("an order counts once, also where it came in version 1 before; tags are each sender's own", async () => {
      client.connect();
      const socket = await greeted();
      const gift = { orderIds: ["f7a151d0-0c52-4d3f-9b0c-aaaaaaaaaaaa"], count: 3, senderId: "9", giftId: 22 };
      business(socket, "m1", 5556, { seq: 1, ...place, gifts: [gift] });
      socket.send(compressed(2, [["9", 22, 3, "aaaaaaaaaaaa", 1, "bbbbbbbbbbbb"]]));
      socket.send(frame(3, [["9", 22, 1, "bbbbbbbbbbbb"]]));
      socket.send(frame(4, [["8", 22, 4, "bbbbbbbbbbbb"]]));
      await received.until((all) => all.length >= 3);
      const gifts = received.all.flatMap(({ data }) => data.gifts ?? []);
      expect(gifts.map(({ senderId, orderTags, count }) => [senderId, orderTags, count])).toEqual([
        ["9", ["aaaaaaaaaaaa"], 3],
        ["9", ["bbbbbbbbbbbb"], 1],
        ["8", ["bbbbbbbbbbbb"], 4],
      ]);
    });

    test("a combo's count has an id, which is another one for each streak", async () => {
      client.connect();
      const socket = await greeted();
      const tag = (n: number) => String(n).padStart(12, "0");
      socket.send(frame(1, [["9", 22, 2, tag(1), 2]])); // a streak begins
      socket.send(frame(2, [["9", 22, 1, tag(2), 3, { to: "8" }]]));
      socket.send(
        frame(3, [
          ["9", 22, 1, tag(3), 5],
          ["9", 22, 1, tag(4), 4, { to: "8" }],
          ["9", 23, 1, tag(5), 6],
        ]),
      );
      socket.send(frame(3, [["9", 22, 1, tag(3), 5]])); // a repeat
      socket.send(frame(4, [["9", 22, 6, tag(6), 6]])); // the next streak, which begins with more than the last had
      socket.send(frame(5, [["9", 22, 1, tag(7), 7]]));
      socket.send(frame(6, [["9", 22, 1, tag(8), 2]])); // another one, whose beginning was missed
      socket.send(frame(7, [["9", 22, 1, tag(9)]]));
      await received.until((all) => all.length >= 7);
      const combos = received.all.flatMap(({ data }) => data.gifts ?? []).map(({ combo }) => combo);
      const [first, , , , other, second, , third] = combos.map((combo) => combo?.id);
      expect(combos).toEqual([
        { id: first, count: 2 },
        { id: first, count: 3 },
        { id: first, count: 5 },
        { id: first, count: 4 },
        { id: other, count: 6 },
        { id: second, count: 6 },
        { id: second, count: 7 },
        { id: third, count: 2 },
        undefined,
      ]);
      expect(new Set([first, other, second, third]).size).toBe(4);
    });

    test("battles have the same data as in version 1", async () => {
      client.connect();
      const socket = await greeted();
      const sender = { userId: "7", nickName: "ann", avatar: "a.png", coins: 20 };
      const sides = [
        { roomId: 5, userId: "1", score: 20, gifts: 2, topSenders: [sender] },
        { roomId: 6, userId: "2", score: 0, gifts: 0, topSenders: [] },
      ];
      const state = { battleId: "9", state: "running", winner: null, excluded: [], sides };
      const scores = [
        { userId: "1", score: 25 },
        { userId: "2", score: 3 },
      ];
      const running = { battleId: "9", scores, remainingMs: 900 };
      const bodies = [
        { msgId: "m1", bizCode: 5559, data: state },
        { bizCode: 5558, data: running },
      ];
      for (const [i, body] of bodies.entries()) {
        const text = JSON.stringify({ code: 1003, body: { ...body, userId: "0", data: { ...body.data, roomId: 5 } } });
        business(socket, `v1-${i}`, body.bizCode, body.data);
        socket.send(roomFrameV2(text, "1"));
      }
      await received.until((all) => all.length >= 4);
      expect(received.all.map(({ bizCode, data }) => [bizCode, data])).toEqual(
        [state, state, running, running].map((data, i) => [i < 2 ? 5559 : 5558, data]),
      );
    });

    test("frames are shown in their order, and a close waits for those that came before it", async () => {
      client.connect();
      const socket = await greeted();
      const tag = (n: number) => String(n).padStart(12, "0");
      for (let seq = 1; seq <= 40; seq++) {
        const gifts = [["9", 22, 1, tag(seq)]];
        socket.send(seq % 3 === 0 ? frame(seq, gifts) : compressed(seq, gifts));
      }
      socket.close(4410, "the room is closed");
      await states.until((all) => all.some(({ state }) => state === "stopped"));
      const shown = received.all.flatMap(({ data }) => data.gifts ?? []).flatMap(({ orderTags }) => orderTags);
      expect(shown).toEqual(Array.from({ length: 40 }, (_, i) => tag(i + 1)));
    });

    test.each([
      ["cannot be decompressed", Buffer.from([0xff, 0x01, 0x02])],
      ["is larger than a frame may be", deflateRawSync(Buffer.alloc(3 * 1024 * 1024, " "))],
    ])("a frame that %s ends the connection, and the next one asks for it again, as text", async (_what, bad) => {
      client.connect();
      const first = await greeted();
      first.send(frame(1, [["9", 22, 1, "aaaaaaaaaaaa"]]));
      first.send(bad);
      first.send(frame(3, [["9", 22, 1, "cccccccccccc"]]));
      const { query } = await visit(2);
      expect([query.get("since"), query.get("v"), query.get("compress")]).toEqual(["1", "2", null]);
      expect(states.all.find(({ state }) => state === "waiting")).toMatchObject({ reason: "unreadable frame" });
      const second = await greeted(2);
      for (const [seq, tag] of [[2, "bbbbbbbbbbbb"] as const, [3, "cccccccccccc"] as const])
        second.send(compressed(seq, [["9", 22, 1, tag]]));
      await received.until((all) => all.length >= 3);
      expect(received.all.flatMap(({ data }) => data.gifts ?? []).map(({ orderTags }) => orderTags[0])).toEqual([
        "aaaaaaaaaaaa",
        "bbbbbbbbbbbb",
        "cccccccccccc",
      ]);
    });

    test("a notification is the user's own, and is acked by its id", async () => {
      client.connect();
      const socket = await greeted();
      socket.send(JSON.stringify({ code: 1003, body: { msgId: "m1", bizCode: 5557, data: { orderId: "o1" } } }));
      await received.until((all) => all.length >= 1);
      expect(received.all[0]).toMatchObject({ msgId: "m1", userId: "5", bizCode: 5557 });
      await frames.until(() => acks().length >= 1);
      expect(acks()).toEqual(["m1"]);
    });
  });

  test("goes on after frames that are none, and after a listener that throws", async () => {
    const page = runInThisContext("globalThis") as { reportError?: (error: Error) => void };
    const reported: string[] = [];
    page.reportError = ({ message }) => reported.push(message);
    client.connect();
    const socket = await online();
    client.on("business", () => {
      throw new Error("a listener's own fault");
    });
    for (const text of [
      "null",
      "[",
      '{"code":1003,"body":{"bizCode":{"valueOf":1,"toString":1}}}',
      '{"code":1003,"body":5}',
      '{"code":1003,"body":{"bizCode":5556,"data":{"gifts":[null],"seq":1,"epoch":{"toString":1}}}}',
      '{"code":1001,"body":null}',
    ])
      socket.send(text);
    const before = received.all.length;
    business(socket, "after-all", 5555, { content: "still here" });
    await received.until((all) => all.slice(before).some(({ msgId }) => msgId === "after-all"));
    expect(client.state).toBe("online");
    expect(reported).toContain("a listener's own fault");
    expect(reported.length).toBeGreaterThan(1);
    delete page.reportError;
  });

  test("comes back after an abnormal end with a fresh token and the place it had reached", async () => {
    client.connect();
    const first = await online();
    expect((await visit(1)).query.has("since")).toBe(false);
    business(first, "m1", 5555, { content: "one", seq: 41, epoch: "room-epoch" });
    await received.until((all) => all.length >= 1);
    first.terminate();
    const { query } = await visit(2);
    expect([query.get("token"), query.get("since"), query.get("epoch")]).toEqual(["t2", "41", "room-epoch"]);
    await online(2);
  });

  test("emits a gap where the missed frames are lost, and starts from the new position", async () => {
    const gaps = new Inbox<unknown>();
    client.on("gap", (event) => gaps.push(event));
    client.connect();
    const first = await online();
    business(first, "m1", 5555, { content: "one", seq: 3, epoch: "old" });
    await received.until((all) => all.length >= 1);
    first.close(4503, "draining");
    const second = await online(2, { recovered: false });
    expect(gaps.all).toHaveLength(1);
    second.terminate();
    expect((await visit(3)).query.has("since")).toBe(false);
  });

  test("emits a gap while connected, once, and goes on from the position of the room", async () => {
    const gaps = new Inbox<{ seq: number }>();
    const logins = new Inbox<unknown>();
    client.on<{ seq: number }>("gap", (event) => gaps.push(event));
    client.on("login", (event) => logins.push(event));
    client.connect();
    const first = await online(1, { epoch: "e1", seq: 3 });
    first.send(JSON.stringify({ code: 1001, body: { epoch: "e2", seq: 40, recovered: false } }));
    await gaps.until((all) => all.length >= 1);
    expect(gaps.all).toMatchObject([{ seq: 40 }]);
    expect(logins.all).toHaveLength(1);
    expect(states.all.filter(({ state }) => state === "online")).toHaveLength(1);
    first.terminate();
    const { query } = await visit(2);
    expect([query.get("since"), query.get("epoch")]).toEqual(["40", "e2"]);
  });

  test.each([4401, 4409, 4422])("%i ends it until the caller asks again", async (code) => {
    client.connect();
    (await online()).close(code, "no");
    const stopped = (await states.until((all) => all.some(({ state }) => state === "stopped"))).at(-1)!;
    expect(stopped).toMatchObject({ code, replaced: code === 4409 });
    expect(tokens).toBe(1);
    client.connect();
    expect((await visit(2)).query.get("token")).toBe("t2");
  });

  test("waits longer and longer, at random below the ceiling, and asks for the address again", async () => {
    client.close();
    let asked = 0;
    client = makeClient(
      async () => {
        asked += 1;
        throw new Error("away");
      },
      { random: () => 1, backoffBaseMs: 1, backoffCapMs: 8 },
    );
    client.connect();
    const waits = (await states.until((all) => all.filter(({ retryInMs }) => retryInMs).length >= 6)).flatMap(
      ({ retryInMs }) => retryInMs ?? [],
    );
    expect(waits.slice(0, 6)).toEqual([1, 2, 4, 8, 8, 8]);
    expect(asked).toBeGreaterThanOrEqual(6);
  });

  test("leaves a server that used to answer heartbeats and fell silent", async () => {
    client = makeClient(async () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/im?token=t&roomId=7`, {
      heartbeatMs: 5,
      heartbeatTimeoutMs: 40,
    });
    client.connect();
    (await online()).send(JSON.stringify({ code: 1004, body: {} }));
    await visit(2);
    expect(states.all.some(({ state }) => state === "waiting")).toBe(true);
  });

  test("stays with a server that answers, however little else it sends", async () => {
    client = makeClient(async () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/im?token=t&roomId=7`, {
      heartbeatMs: 20,
      // Client and server share a process: neither reads while it stands still.
      heartbeatTimeoutMs: 1_000,
    });
    client.connect();
    const socket = await online();
    socket.on("message", () => socket.send(JSON.stringify({ code: 1004, body: {} })));
    await frames.until((all) => all.length >= 100);
    expect(visits.all).toHaveLength(1);
    expect(client.state).toBe("online");
  });

  test("a failure marked fatal, as a dead login, ends it", async () => {
    client = makeClient(async () => {
      throw Object.assign(new Error("not logged in"), { fatal: true });
    });
    client.connect();
    await states.until((all) => all.at(-1)?.state === "stopped");
    expect(client.state).toBe("stopped");
  });

  describe("every step has a time limit", () => {
    const never = () => new Promise<string>(() => undefined);
    /** One long wait after the first failure, so that what was given up can be looked at. */
    const oneLongWait = { random: () => 1, backoffBaseMs: 60_000, backoffCapMs: 60_000 };

    async function givenUp(): Promise<State> {
      return (await states.until((all) => all.some(({ state }) => state === "waiting"))).at(-1)!;
    }

    test("an address that never comes is given up and asked for again", async () => {
      const signals: AbortSignal[] = [];
      client = makeClient(
        ({ signal }) => {
          signals.push(signal);
          return signals.length === 1 ? never() : address();
        },
        { urlTimeoutMs: 20 },
      );
      client.connect();
      expect(await givenUp()).toMatchObject({ state: "waiting", reason: "no address" });
      await online();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    });

    test("an address that comes after its attempt was given up opens no connection", async () => {
      const late = Promise.withResolvers<string>();
      let asked = 0;
      client = makeClient(() => (++asked === 1 ? late.promise : address()), { urlTimeoutMs: 20 });
      client.connect();
      await online();
      late.resolve(address());
      await late.promise;
      client.send(5555, { content: "after" });
      await frames.until((all) => all.some(({ code }) => code === 1003));
      expect([visits.all.length, client.state]).toEqual([1, "online"]);
    });

    test("a failure that comes after its attempt was given up changes nothing, fatal or not", async () => {
      const late = Promise.withResolvers<string>();
      client = makeClient(() => late.promise, { urlTimeoutMs: 20, ...oneLongWait });
      client.connect();
      await givenUp();
      late.reject(Object.assign(new Error("late"), { fatal: true }));
      await late.promise.catch(() => undefined);
      expect([client.state, states.all.length]).toEqual(["waiting", 2]);
    });

    test.each([
      [
        "throws at once",
        () => {
          throw new Error("at once");
        },
      ],
      ["gives something that is no address", () => undefined],
    ])("an address function that %s is a failure like others", async (_what, url) => {
      client = makeClient(url, oneLongWait);
      client.connect();
      expect((await givenUp()).error).toMatchObject({ message: expect.any(String) });
    });

    test("a socket that does not open is given up", async () => {
      const held = createServer(() => undefined).listen(0, "127.0.0.1");
      await once(held, "listening");
      const { port } = held.address() as AddressInfo;
      client = makeClient(() => `ws://127.0.0.1:${port}/im`, { openTimeoutMs: 30, ...oneLongWait });
      client.connect();
      expect(await givenUp()).toMatchObject({ reason: "not open" });
      held.close();
    });

    test("a server that does not greet is given up, and its socket closed", async () => {
      client = makeClient(address, { greetingTimeoutMs: 30, ...oneLongWait });
      client.connect();
      const { socket } = await visit(1);
      expect(await givenUp()).toMatchObject({ reason: "no greeting" });
      if (socket.readyState !== socket.CLOSED) await once(socket, "close");
    });

    test("a line that is half open from the greeting on is known by its first heartbeat, and cut", async () => {
      client = makeClient(address, { heartbeatMs: 5, heartbeatTimeoutMs: 40, closeTimeoutMs: 30, ...oneLongWait });
      client.connect();
      const { socket } = await visit(1);
      socket.send(JSON.stringify({ code: 1001, body: { userId: "5", nodeId: "n1", epoch: "e1" } }));
      // Nothing is read any more, the closing handshake neither.
      const line = (socket as unknown as { _socket: Line })._socket;
      line.pause();
      expect(await givenUp()).toMatchObject({ reason: "no heartbeat" });
      line.resume();
      await once(socket, "close");
    });
  });

  describe("close() ends it at every step", () => {
    async function closed(): Promise<void> {
      client.close();
      const known = states.all.length;
      expect(client.state).toBe("idle");
      // What was under way would have had an effect by now: another client came and went meanwhile.
      const other = makeClient(address);
      other.connect();
      const last = await visit(visits.all.length + 1);
      last.socket.send(JSON.stringify({ code: 1001, body: { userId: "6", nodeId: "n1", epoch: "e1" } }));
      await states.until((all) => all.slice(known).some(({ state }) => state === "online"));
      other.close();
      expect(states.all.slice(known).map(({ state }) => state)).toEqual(["connecting", "online", "idle"]);
      expect(client.state).toBe("idle");
    }

    test("while the address is awaited: its signal is aborted, and it opens nothing when it comes", async () => {
      const coming = Promise.withResolvers<string>();
      let given: AbortSignal | undefined;
      client = makeClient(({ signal }) => {
        given = signal;
        return coming.promise;
      });
      client.connect();
      client.close();
      coming.resolve(address());
      await closed();
      expect([given?.aborted, visits.all.length]).toEqual([true, 1]);
    });

    test("while the socket opens", async () => {
      const asked = Promise.withResolvers<void>();
      class Slow extends WebSocket {
        constructor(url: string) {
          super(url);
          asked.resolve();
        }
      }
      client = makeClient(address, { WebSocket: Slow });
      client.connect();
      await asked.promise;
      await closed();
    });

    test("before the greeting", async () => {
      client.connect();
      await visit(1);
      await closed();
    });

    test("while it waits for its next attempt", async () => {
      client = makeClient(() => Promise.reject(new Error("away")), { random: () => 1, backoffBaseMs: 20 });
      client.connect();
      await states.until((all) => all.some(({ state }) => state === "waiting"));
      await closed();
    });

    test.each(["connecting", "online"])("by a listener, at the state %s", async (at) => {
      client = makeClient(address);
      client.on<State>("state", ({ state }) => state === at && client.close());
      client.connect();
      if (at === "online") (await visit(1)).socket.send(JSON.stringify({ code: 1001, body: { epoch: "e1" } }));
      await states.until((all) => all.at(-1)?.state === "idle");
      await closed();
    });
  });

  test("a listener that throws is reported, and affects neither the connection nor the other listeners", async () => {
    const reported = new Inbox<Error>();
    client = createImClient({ url: address, heartbeatMs: 15, report: (error: Error) => reported.push(error) });
    for (const type of ["state", "login", "business", "gap"])
      client.on(type, () => {
        throw new Error(type);
      });
    client.on<State>("state", (state) => states.push(state));
    client.on<Business>("business", (message) => received.push(message));
    client.connect();
    const socket = await online(1, { recovered: false });
    business(socket, "m1", 5561, { orderId: "p1" });
    await received.until((all) => all.length >= 1);
    await frames.until(() => acks().length >= 1 && frames.all.some(({ code }) => code === 1004));
    expect(reported.all.map(({ message }) => message)).toEqual(["state", "gap", "state", "login", "business"]);
    expect(client.state).toBe("online");
  });

  test.each([
    ["a code that cannot be made a number", { code: 1003, body: { bizCode: { valueOf: 1, toString: 1 }, data: {} } }],
    ["gifts that are no list", { code: 1003, body: { bizCode: 5556, data: { gifts: 7 } } }],
    ["a body that is no object", { code: 1003, body: 7 }],
    ["no frame at all", 7],
  ])("%s harms nobody: what comes next is shown", async (_what, frame) => {
    client = createImClient({ url: address, heartbeatMs: 15, report: () => undefined });
    client.on<State>("state", (state) => states.push(state));
    client.on<Business>("business", (message) => message.msgId && received.push(message));
    client.connect();
    const socket = await online();
    socket.send(JSON.stringify(frame));
    business(socket, "m1", 5555, { content: "next" });
    await received.until((all) => all.length >= 1);
    expect([received.all[0]?.data.content, client.state]).toEqual(["next", "online"]);
  });
});
