import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { streamNames } from "../../../mixins/jetstream/streams.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import { settlerDurable } from "../../../services/gift/queue.ts";
import { giftStream } from "../../../services/streams.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { whileRunning } from "../../support/while-running.ts";

/** The gift queue's consumers and streams are deleted: every accepted gift that is known anywhere ends once. */

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
const users = Array.from({ length: 8 }, (_, n) => String(9_000_000_000_000_005_000n + BigInt(n)));

const neighbours: ServiceSchema[] = [
  liveRooms(() => anchor),
  {
    name: "im-router",
    actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) },
  } as unknown as ServiceSchema,
];

let caller: ServiceBroker;
let nodes: ServiceBroker[];
let nats: NatsConnection;
let streams: JetStreamManager;
const redis = openRedis("test");

/** Keeps every node that starts from pulling gifts, as another node that pulls them would. */
async function holdPartitions(): Promise<{ release(): Promise<unknown> }> {
  const keys = streamNames(giftStream).map((_, n) => `lock:gift:partition:${settlerDurable}-${n}`);
  for (const key of keys)
    await eventually("the lock is free", async () => (await redis.set(key, "test", "PX", 60_000, "NX")) === "OK");
  return { release: () => redis.del(keys) };
}

let starts = 0;
async function startGifts(): Promise<void> {
  const label = ++starts;
  nodes = await Promise.all([1, 2].map((n) => startNode(`gift-${label}-${n}`, [gift])));
  for (const { nodeID } of nodes)
    await eventually("the caller sees it", () => caller.registry.hasService("gift", nodeID));
}

beforeAll(async () => {
  await redis.connect();
  nats = await connect(natsOptions("test"));
  streams = await nats.jetstreamManager();
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  caller = await startNode("caller", []);
  await startGifts();
  await caller.waitForServices(["wallet", "living-room", "im-router"]);
  await Promise.all(users.map((user) => recharge(caller, `order-${user}`, user, 10_000)));
});
afterAll(async () => {
  redis.disconnect();
  await nats.close();
  await stopAll();
});
let held: { release(): Promise<unknown> } | undefined;
afterEach(async () => {
  await held?.release();
  held = undefined;
  await expectBooksBalanced();
});

/** Every user's gift, accepted; their order ids. */
const sendAll = async (requestId?: string) => {
  const request = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1, ...(requestId ? { requestId } : {}) };
  const sent = await Promise.all(users.map((userId) => call(caller, "gift.send", { ...request, userId })));
  return sent.map(({ orderId }) => orderId);
};

async function deleteConsumers(): Promise<void> {
  for (const stream of streamNames(giftStream))
    for await (const { name } of streams.consumers.list(stream)) await streams.consumers.delete(stream, name);
}
const purgeStreams = () => Promise.all(streamNames(giftStream).map((name) => streams.streams.purge(name)));
const deleteStreams = () => Promise.all(streamNames(giftStream).map((name) => streams.streams.delete(name)));

test("consumers that are deleted under traffic are made again: each gift is charged once, within 5 s", async () => {
  const orders = await sendAll();
  const more: string[] = [];
  const sendMore = async (isOver: () => boolean) => {
    while (!isOver()) more.push(...(await sendAll()));
  };
  await whileRunning(sendMore, async () => {
    await settledOrders(orders);
    await deleteConsumers();
    const after = await sendAll();
    await settledOrders(after, 5_000);
  });
  await settledOrders(more, 5_000);
});

test("streams that are deleted while gifts are in progress: these and new ones are charged once", async () => {
  held = await holdAccounts(users);
  const inHand = await sendAll();
  await deleteStreams();
  const requestId = randomUUID();
  const next = await eventually("more are accepted", () => sendAll(requestId).catch(() => undefined), 5_000);
  await held.release();
  held = undefined;
  await settledOrders([...inHand, ...next]);
});

test("gifts that no node held are put back from Redis, also by nodes that start later, and charged once", async () => {
  const settled = await sendAll();
  await settledOrders(settled);
  held = await holdAccounts(users);
  const requestId = randomUUID();
  const lost = await sendAll(requestId);
  await Promise.all(nodes.map(stopNode));
  await deleteStreams();
  await startGifts();
  await held.release();
  held = undefined;
  await settledOrders(lost);
  expect(await sendAll(requestId)).toEqual(lost);
  await settledOrders([...lost, ...settled]);
  await eventually("the queue is empty", async () => {
    const { waiting, inFlight, deadLetters } = await call(caller, "gift.queueDepth", {});
    return waiting + inFlight + deadLetters === 0;
  });
  expect(await streams.streams.info(`${natsPrefix()}GIFTS-0`)).toMatchObject({
    config: { description: expect.stringMatching(/^made again: /) },
  });
});

test("gifts of the last two minutes that a purge took out before anybody had them are put back, and charged once", async () => {
  await Promise.all(nodes.map(stopNode));
  held = await holdPartitions();
  await startGifts();
  const lost = await sendAll();
  await purgeStreams();
  await held.release();
  held = undefined;
  await settledOrders(lost);
});
