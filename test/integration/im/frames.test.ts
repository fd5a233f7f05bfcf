import type { ServiceBroker } from "moleculer";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { whileRunning } from "../../support/while-running.ts";
import {
  addressOf,
  type Body,
  connect,
  cutClients,
  livingRoomFake,
  postToRoom,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "./im-nodes.ts";

let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router", livingRoomFake);
  a = await startImServer("im-a");
  // No renewal falls within this file: it would write what tests have taken out of Redis.
  const seldom = { presenceRefreshMs: 60_000, presenceLeaseMs: 120_000 };
  b = await startImServer("im-b", { sendQueueBytes: 200_000, closeGraceMs: 30_000, ...seldom });
  await Promise.all([
    seeing(a, { "im-router": 1, "living-room": 1 }),
    seeing(b, { "im-router": 1, "living-room": 1 }),
    seeing(router, { "im-server": 2 }),
  ]);
});
afterAll(async () => {
  cutClients();
  redis.disconnect();
  await stopAll();
});

describe("chat", () => {
  test("reaches the room on both nodes, numbered, with sender and room of the connection", async () => {
    const [ann, ben, other] = [
      await connect(b, "1001", 20),
      await connect(a, "1002", 20),
      await connect(b, "1003", 21),
    ];
    ann.chat("hello", { userId: "9", senderId: "9", roomId: 21, seq: 77 });
    await eventually("both have it", () => ann.business(5555).length === 1 && ben.business(5555).length === 1);
    ben.chat("你好 👋");
    await eventually("both have it", () => ann.business(5555).length === 2 && ben.business(5555).length === 2);
    const epoch = ann.greeting?.epoch;
    for (const client of [ann, ben]) {
      const [first, second] = client.business(5555);
      expect(first).toMatchObject({ userId: "1001", appId: 10001 });
      expect(first?.data).toEqual({ roomId: 20, seq: 1, epoch, content: "hello", senderId: "1001" });
      expect(second).toMatchObject({ userId: "1002" });
      expect(second?.data).toEqual({ roomId: 20, seq: 2, epoch, content: "你好 👋", senderId: "1002" });
    }
    expect(other.business()).toEqual([]);
  });

  test("500 characters pass, counted as people count them; none or 501 are refused and cost nothing else", async () => {
    const client = await connect(b, "1010", 22);
    client.chat("👍".repeat(500));
    await eventually("the long one", () => client.business(5555).length === 1);
    for (const content of ["", "x".repeat(501), "👍".repeat(501)]) client.chat(content);
    await eventually("three refusals", () => client.frames.filter(({ code }) => code === 1005).length === 3);
    expect(client.frames.at(-1)?.body).toMatchObject({ bizCode: 5555, error: expect.stringContaining("500") });
    expect(client.business(5555)).toHaveLength(1);
    expect(client.closed).toBeUndefined();
  });
});

describe("protocol", () => {
  test("a heartbeat is answered, an ack and a login are taken, a logout closes with 1000", async () => {
    const client = await connect(b, "1020", 23);
    client.say({ code: 1005, body: { msgId: "x" } });
    client.say({ code: 1001, body: {} });
    client.say({ code: 1004, magic: 18673 });
    await eventually("the answer", () => client.frames.some(({ code }) => code === 1004));
    client.say({ code: 1002, body: {} });
    expect((await client.closing()).code).toBe(1000);
  });

  test.each<[string, string | Buffer]>([
    ["binary", Buffer.from('{"code":1004}')],
    ["not JSON", "{"],
    ["no object", "[1004]"],
    ["an unknown code", '{"code":1999}'],
    ["a code that is a text", '{"code":"1004"}'],
    ["a wrong magic", '{"code":1004,"magic":18674}'],
    ["a body that is no object", '{"code":1003,"body":"x"}'],
    ["no bizCode", '{"code":1003,"body":{}}'],
    ["chat that is no text", '{"code":1003,"body":{"bizCode":5555,"data":{"content":5}}}'],
    ["more than 64 KiB", `{"code":1004,"body":{"x":"${"y".repeat(65_536)}"}}`],
    ["text that is not UTF-8", Buffer.from([0xff, 0xfe])],
  ])("%s closes with 4422 and a reason", async (what, frame) => {
    const client = await connect(b, "1021", 23);
    client.socket.send(frame, { binary: what === "binary" });
    const { code, reason } = await client.closing();
    expect(code).toBe(4422);
    expect(reason).not.toBe("");
  });

  test("more messages than the rate allows close with 4429", async () => {
    const client = await connect(b, "1022", 23);
    for (let i = 0; i < 60; i++) client.say({ code: 1004 });
    expect((await client.closing()).code).toBe(4429);
  });

  test("a socket without heartbeats is closed to reconnect, one with heartbeats stays", async () => {
    const quiet = await startImServer("im-quiet", { heartbeatTimeoutMs: 600 });
    await seeing(quiet, { "im-router": 1, "living-room": 1 });
    const [silent, beating] = [await connect(quiet, "1023", 24), await connect(quiet, "1024", 24)];
    const beat = setInterval(() => beating.say({ code: 1004 }), 150);
    try {
      expect((await silent.closing()).code).toBe(4504);
      expect(beating.closed).toBeUndefined();
    } finally {
      clearInterval(beat);
    }
    await beating.leave();
    await stopNode(quiet);
    await seeing(router, { "im-server": 2 });
  });
});

describe("a room's history", () => {
  const say = (msgId: string, roomId: number) =>
    postToRoom(router, { roomId, senderId: "0", msgId, bizCode: 5560, data: { text: msgId } });

  test("a client that comes back gets exactly what it missed, on another node too", async () => {
    const client = await connect(b, "1030", 30);
    await say("m1", 30);
    await eventually("m1", () => client.business().length === 1);
    const [{ data }] = client.business() as [Body];
    const { seq, epoch } = data as { seq: number; epoch: string };
    await client.leave();
    await say("m2", 30);
    await say("m3", 30);
    const back = await connect(a, "1030", 30, { since: seq, epoch });
    await eventually("what was missed", () => back.business().length === 2);
    expect(back.greeting).toMatchObject({ recovered: true, seq: 3, epoch });
    await say("m4", 30);
    await eventually("what follows", () => back.business().length === 3);
    expect(back.business().map(({ msgId, data }) => [msgId, data.seq])).toEqual([
      ["m2", 2],
      ["m3", 3],
      ["m4", 4],
    ]);
    expect(back.business()[0]?.data).toEqual({ roomId: 30, seq: 2, epoch, text: "m2" });
  });

  test.each([
    ["another epoch", { since: 0, epoch: "gone" }],
    ["a number that was never given", { since: 99, epoch: undefined }],
  ])("%s cannot be caught up with, and the greeting has recovered false", async (_what, { since, epoch }) => {
    await say("m1", 31);
    const before = await connect(b, "1031", 31);
    const client = await connect(b, "1032", 31, { since, epoch: epoch ?? String(before.greeting?.epoch) });
    expect(client.greeting).toMatchObject({ recovered: false });
    expect(client.business()).toEqual([]);
  });

  test("every frame after the greeting arrives, however many come in meanwhile", async () => {
    let sent = 0;
    let clients: TestClient[] = [];
    const talk = async (isOver: () => boolean) => {
      while (!isOver()) await say(`t${++sent}`, 32);
    };
    await whileRunning(talk, async () => {
      clients = await Promise.all(Array.from({ length: 20 }, (_, i) => connect(i % 2 ? a : b, `${1100 + i}`, 32)));
      await eventually("some frames", () => clients.every((client) => client.business().length > 3));
    });
    for (const client of clients) {
      const from = Number(client.greeting?.seq);
      await eventually("all later frames", () => client.business().length === sent - from);
      expect(client.business().map(({ data }) => data.seq)).toEqual(
        Array.from({ length: sent - from }, (_, i) => from + 1 + i),
      );
    }
  });
});

describe("a node that was passed over", () => {
  test("fetches what it missed when the next frame comes, and its members see all in order", async () => {
    const client = await connect(b, "1035", 35);
    await eventually("the room's upkeep is done", () => redis.hexists("im:room:35:watch", b.nodeID));
    const say = (msgId: string) => postToRoom(router, { roomId: 35, senderId: "0", msgId, bizCode: 5560, data: {} });
    await redis.hset("im:room:35", "born", 0); // An epoch of long ago: the room's nodes are known.
    const [, lease] = await redis.zrange("im:room:35:nodes", 0, -1, "WITHSCORES");
    await redis.zrem("im:room:35:nodes", b.nodeID);
    await say("m1");
    await say("m2");
    expect(client.business()).toEqual([]);
    await redis.zadd("im:room:35:nodes", lease as string, b.nodeID);
    await say("m3");
    await eventually("all three", () => client.business().length === 3);
    expect(client.business().map(({ msgId, data }) => [msgId, data.seq])).toEqual([
      ["m1", 1],
      ["m2", 2],
      ["m3", 3],
    ]);
  });

  test("greets its members again where the missed frames are no longer in the history, and goes on", async () => {
    const client = await connect(b, "1036", 36);
    await eventually("the room's upkeep is done", () => redis.hexists("im:room:36:watch", b.nodeID));
    const say = (msgId: string) => postToRoom(router, { roomId: 36, senderId: "0", msgId, bizCode: 5560, data: {} });
    await redis.hset("im:room:36", "born", 0);
    const [, lease] = await redis.zrange("im:room:36:nodes", 0, -1, "WITHSCORES");
    await redis.zrem("im:room:36:nodes", b.nodeID);
    await say("m1");
    await say("m2");
    await redis.del("im:room:36:frames");
    await redis.zadd("im:room:36:nodes", lease as string, b.nodeID);
    await say("m3");
    await eventually("the next frame", () => client.business().length === 1);
    const greetings = client.frames.filter(({ code }) => code === 1001).map(({ body }) => body);
    expect(greetings.slice(1)).toMatchObject([
      { userId: "1036", recovered: false, seq: 2, epoch: client.greeting?.epoch },
    ]);
    expect(client.business()[0]).toMatchObject({ msgId: "m3", data: { seq: 3 } });
  });
});

describe("closing a room", () => {
  test("everybody gets 5562 and is closed with 4410", async () => {
    const clients = [await connect(b, "1040", 40), await connect(a, "1041", 40), await connect(b, "1042", 41)];
    await call(router, "im-router.closeRoom", { roomId: 40 });
    for (const client of clients.slice(0, 2)) {
      expect((await client.closing()).code).toBe(4410);
      expect(client.business(5562)).toHaveLength(1);
    }
    expect(clients[2]?.closed).toBeUndefined();
    await expect(connect(a, "1043", 40)).rejects.toThrow("4404");
  });
});

describe("a client that does not read", () => {
  test("is closed with 4508 and does not hold up the others", async () => {
    const [slow, quick] = [await connect(b, "1050", 50), await connect(b, "1051", 50)];
    (slow.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    const text = "z".repeat(60_000);
    const times = 150;
    for (let i = 0; i < times; i++)
      await call(
        router,
        "im-server.deliver",
        {
          frames: [
            {
              roomId: 50,
              seq: i + 1,
              epoch: "x1",
              frame: JSON.stringify({ code: 1003, body: { bizCode: 1, i, text } }),
            },
          ],
        },
        { nodeID: b.nodeID },
      );
    await eventually("the other has all", () => quick.business(1).length === times);
    (slow.socket as unknown as { _socket: { resume(): void } })._socket.resume();
    expect((await slow.closing()).code).toBe(4508);
    expect(slow.business(1).length).toBeLessThan(times);
    expect(await addressOf(b)).toContain("ws://");
  });
});
