import type { ServiceBroker } from "moleculer";
import { connect as connectNats, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import {
  connect,
  cutClients,
  livingRoomFake,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
} from "./im-nodes.ts";

const resendMs = 400;
let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
let nats: NatsConnection;
let manager: JetStreamManager;
const redis = openRedis("test");
const stream = `${natsPrefix()}NOTIFICATIONS`;

beforeAll(async () => {
  await redis.connect();
  nats = await connectNats(natsOptions("test"));
  manager = await nats.jetstreamManager();
  router = await startRouter("router", livingRoomFake);
  a = await startImServer("im-a", { notificationResendMs: resendMs, watchFlushMs: 200 });
  b = await startImServer("im-b");
  await Promise.all([
    seeing(a, { "im-router": 1, "living-room": 1, "im-server": 2 }),
    seeing(b, { "im-router": 1, "living-room": 1, "im-server": 2 }),
    seeing(router, { "im-server": 2 }),
  ]);
});
afterAll(async () => {
  cutClients();
  redis.disconnect();
  await nats.close();
  await stopAll();
});

const payment = (userId: string, orderId: string) => ({
  userId,
  msgId: `paid:${orderId}`,
  bizCode: 5561,
  data: { orderId, coins: 10 },
});
const notify = (userId: string, orderId: string) => call(router, "im-router.sendToUser", payment(userId, orderId));
const ack = (client: TestClient, orderId: string) => client.say({ code: 1005, body: { msgId: `paid:${orderId}` } });
const ordersOf = (client: TestClient) => client.business(5561).map(({ data }) => data.orderId);

/** How many notifications of a user are in the stream. */
async function stored(userId: string): Promise<number> {
  const { state } = await manager.streams.info(stream, { subjects_filter: `${natsPrefix()}notification.${userId}` });
  return state.subjects?.[`${natsPrefix()}notification.${userId}`] ?? 0;
}

describe("a notification to a user who is connected", () => {
  test("comes once where it is acked, and is removed from the stream", async () => {
    const client = await connect(a, "100", 1);
    await notify("100", "p1");
    const copies = (orderId: string) => ordersOf(client).filter((id) => id === orderId).length;
    await eventually("the notification", () => client.business(5561).length > 0);
    expect(client.business(5561)[0]).toEqual({ ...payment("100", "p1"), appId: 10001 });
    ack(client, "p1");
    await eventually("none stored", async () => (await stored("100")) === 0);
    await notify("100", "p2");
    await eventually("a later one", () => copies("p2") > 0);
    // More than one where the ack took longer than the pause between copies. All of them came before the later one.
    const before = copies("p1");
    await eventually("the later one again", () => copies("p2") > 1);
    expect(copies("p1")).toBe(before);
    await client.leave();
  });

  test("is sent again until it is acked, the same in every respect", async () => {
    const client = await connect(a, "110", 1);
    const sentAt = Date.now();
    await notify("110", "p1");
    await eventually("three times", () => client.business(5561).length >= 3);
    expect(Date.now() - sentAt).toBeGreaterThanOrEqual(3 * resendMs - 50);
    const [first, ...others] = client.business(5561);
    for (const other of others) expect(other).toEqual(first);
    ack(client, "p1");
    await eventually("none stored", async () => (await stored("110")) === 0);
    await client.leave();
    const back = await connect(b, "110", 1);
    await notify("110", "p2");
    await eventually("the next one", () => ordersOf(back).length > 0);
    expect([...new Set(ordersOf(back))]).toEqual(["p2"]);
    await back.leave();
  });

  test("that another user acks stays", async () => {
    const [client, other] = [await connect(a, "120", 1), await connect(a, "121", 1)];
    await notify("120", "p1");
    await eventually("the notification", () => client.business(5561).length > 0);
    ack(other, "p1");
    await eventually("it is sent again", () => client.business(5561).length >= 2);
    expect(other.business(5561)).toEqual([]);
    expect(await stored("120")).toBe(1);
    await Promise.all([client.leave(), other.leave()]);
  });

  test("that the sender repeats is stored once", async () => {
    const client = await connect(b, "130", 1);
    for (let i = 0; i < 3; i++) await notify("130", "p1");
    expect(await stored("130")).toBe(1);
    await eventually("the notification", () => client.business(5561).length > 0);
    ack(client, "p1");
    await eventually("none stored", async () => (await stored("130")) === 0);
    await client.leave();
  });

  test("comes although Redis was wiped and the router did not find the user", async () => {
    const client = await connect(a, "140", 1);
    let orders = 0;
    // The node writes the user's entry again. While it is not there after the call, the call has not found it.
    const unseen = await eventually("a notification that finds nobody", async () => {
      await redis.del("im:user:140", ...(await marks()));
      const orderId = `p${++orders}`;
      await notify("140", orderId);
      return (await redis.exists("im:user:140")) === 0 ? orderId : undefined;
    });
    await eventually("the notification", () => ordersOf(client).includes(unseen));
    await client.leave();
  });
});

async function marks(): Promise<string[]> {
  const keys = await redis.keys(`${redis.options.keyPrefix}im:node:*`);
  return keys.map((key) => key.slice((redis.options.keyPrefix as string).length));
}

describe("a notification to a user who is offline", () => {
  test("comes with the next connection on any node, and with none after it was acked", async () => {
    for (const orderId of ["p1", "p2"]) await notify("200", orderId);
    const first = await connect(a, "200", 1);
    await eventually("both", () => new Set(ordersOf(first)).size === 2);
    expect(ordersOf(first).slice(0, 2)).toEqual(["p1", "p2"]);
    ack(first, "p1");
    await eventually("one is stored", async () => (await stored("200")) === 1);
    await first.leave();
    const second = await connect(b, "200", 1);
    await eventually("what was not acked", () => ordersOf(second).length > 0);
    expect([...new Set(ordersOf(second))]).toEqual(["p2"]);
    ack(second, "p2");
    await eventually("none stored", async () => (await stored("200")) === 0);
    await second.leave();
  });

  test("survives a Redis that is wiped and im-servers that go away", async () => {
    await notify("210", "p1");
    const c = await startImServer("im-c");
    await seeing(c, { "living-room": 1, "im-router": 1 });
    const going = await connect(c, "210", 1);
    await eventually("the notification", () => ordersOf(going).length > 0);
    await stopNode(c);
    await redis.eval(
      "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end",
      0,
      `${redis.options.keyPrefix}*`,
    );
    const back = await connect(b, "210", 1);
    await eventually("the notification", () => ordersOf(back).length > 0);
    await back.leave();
  });

  test("comes, however many there are, in portions that wait for acks, which cost nothing of the rate", async () => {
    const orders = Array.from({ length: 250 }, (_, i) => `p${i}`);
    const notifications = orders.map((orderId) => payment("220", orderId));
    await call(router, "im-router.sendToUsers", { notifications });
    const client = await connect(b, "220", 1);
    await eventually("the first portion", () => ordersOf(client).length === 100);
    const acked = new Set<unknown>();
    await eventually("all of them", () => {
      for (const orderId of ordersOf(client)) if (!acked.has(orderId)) ack(client, String(orderId));
      for (const orderId of ordersOf(client)) acked.add(orderId);
      return acked.size === orders.length;
    });
    await eventually("none stored", async () => (await stored("220")) === 0);
    expect(ordersOf(client)).toHaveLength(orders.length);
    expect(client.closed).toBeUndefined();
    await client.leave();
  });

  test("is kept for 24 hours and then forgotten", async () => {
    const { config } = await manager.streams.info(stream);
    expect(config.max_age).toBe(24 * 3_600 * 1e9);
    await manager.streams.update(stream, { ...config, max_age: 1e9, duplicate_window: 1e9 });
    await notify("230", "p1");
    await eventually("forgotten", async () => (await stored("230")) === 0, 5_000);
    await manager.streams.update(stream, config);
    const client = await connect(b, "230", 1);
    await notify("230", "p2");
    await eventually("a later one", () => ordersOf(client).length > 0);
    expect(ordersOf(client)).toEqual(["p2"]);
    await client.leave();
  });
});
