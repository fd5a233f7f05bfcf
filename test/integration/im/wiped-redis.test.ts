import type { ServiceBroker } from "moleculer";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { connect, cutClients, livingRoomFake, postToRoom, seeing, startImServer, startRouter } from "./im-nodes.ts";

let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router", livingRoomFake);
  // Their own rounds come too late for these tests: what is written in time is written because a frame of a new epoch came.
  a = await startImServer("im-a", { watchFlushMs: 60_000, presenceRefreshMs: 60_000 });
  b = await startImServer("im-b", { watchFlushMs: 60_000, presenceRefreshMs: 60_000 });
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

const wipe = () =>
  redis.eval(
    "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end",
    0,
    `${redis.options.keyPrefix}im:*`,
  );
const say = (msgId: string, roomId: number) =>
  postToRoom(router, { roomId, senderId: "0", msgId, bizCode: 5560, data: {} });
const range = (length: number, name: string) => Array.from({ length }, (_, i) => `${name}${i}`);

test("however often Redis is wiped in a burst, every frame reaches everybody on both nodes", async () => {
  const clients = [await connect(a, "500", 1), await connect(b, "501", 1)];
  const msgIds = range(30, "m");
  for (const [i, msgId] of msgIds.entries()) {
    // Before a frame, between two, and while one is on its way.
    if (i % 3 !== 1) await wipe();
    const sending = say(msgId, 1);
    if (i % 5 === 0) await wipe();
    await sending;
  }
  for (const client of clients) {
    const seen = () => new Set(client.business(5560).map(({ msgId }) => msgId));
    await eventually("all frames", () => seen().size === msgIds.length);
    expect([...seen()].sort()).toEqual([...msgIds].sort());
  }
});

test("a frame of an unknown epoch makes the node write its users and rooms again at once", async () => {
  const client = await connect(a, "510", 2);
  await say("before", 2);
  await wipe();
  await say("after", 2);
  await eventually("the user's place", () => redis.exists("im:user:510"), 2_000);
  await eventually("the room's nodes", () => redis.zscore("im:room:2:nodes", a.nodeID), 2_000);
  expect(client.business(5560).map(({ msgId }) => msgId)).toEqual(["before", "after"]);
});

test("a client that comes first after a wipe does not hide the nodes of the others", async () => {
  const there = await connect(b, "520", 3);
  await wipe();
  const first = await connect(a, "521", 3);
  await say("m", 3);
  for (const client of [first, there]) await eventually("the frame", () => client.business(5560).length === 1);
});
