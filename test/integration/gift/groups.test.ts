import type { ServiceBroker, ServiceSchema } from "moleculer";
import { createConnection } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call, type EventMessage } from "../../../services/contracts.ts";
import { isOriginOfTable } from "../../../services/dead-letter-origins.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import { settlerDurable } from "../../../services/gift/queue.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { NodeProcess } from "../../support/node-process.ts";
import { recordsOf, settledOrders, tradesOf, tradesOfUser } from "../../support/outcomes.ts";
import { partitionsShared } from "../../support/partitions.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { groupOf, signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";

/** Messages of the gift queue that hold many gifts, as acceptance publishes them, over two gift nodes. */

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
/** All of one partition, so that a message may hold gifts of any of them. */
const users = Array.from({ length: 10 }, (_, n) =>
  String(9_200_000_000_000_000_000n + BigInt(n * limits.gift.partitions)),
);
const [ann, bob, cat, dan] = users as [string, string, string, string];
const subject = `gift.send.${partitionOf(ann)}`;

const router = {
  name: "im-router",
  actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) },
} as unknown as ServiceSchema;

let caller: ServiceBroker;
const giftNodes: ServiceBroker[] = [];
let nats: NatsConnection;
let letters: DeadLetters;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  nats = await connect(natsOptions("test"));
  await startNode("router", [router]);
  await startNode("wallet", [wallet]);
  giftNodes.push(...(await Promise.all([startNode("gift-1", [gift]), startNode("gift-2", [gift])])));
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "im-router"]);
  await partitionsShared("gift", giftNodes);
  letters = await DeadLetters.open(nats);
  await Promise.all(users.map((user) => recharge(caller, `order-${user}`, user, 1_000)));
});
afterAll(async () => {
  redis.disconnect();
  await nats.close();
  await stopAll();
});
afterEach(expectBooksBalanced);

let last = 0;
/** An accepted gift of one coin. */
function accepted(senderId: string, over: Partial<AcceptedGift> = {}): AcceptedGift {
  const asked = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1 };
  return {
    ...{ ...asked, orderId: `group-gift-${++last}`, senderId, price: 1, sharePercent: 50, url: "x.svga" },
    ...{ contentHash: contentHashOf(asked), acceptedAt: new Date().toISOString(), ...over },
  };
}
const idsOf = (gifts: readonly AcceptedGift[]) => gifts.map(({ orderId }) => orderId);
const send = (gifts: readonly unknown[]) => publish(subject, groupOf(gifts));
const depth = () => call(caller, "gift.queueDepth", {});
const nothingLeft = () =>
  eventually("an empty queue", async () => {
    const { waiting, inFlight } = await depth();
    return waiting + inFlight === 0;
  });
/** A settler in a process of its own that has all partitions. */
async function nodeThatDies(): Promise<NodeProcess> {
  await Promise.all(giftNodes.splice(0).map(stopNode));
  const urls = { nats: { url: process.env.NATS_URL as string }, mysql: { url: process.env.MYSQL_URL as string } };
  const dying = await NodeProcess.start("gift", urls);
  await waitForNode(caller, "gift", dying.nodeId);
  return dying;
}
const forgotten = ({ nodeId }: NodeProcess) =>
  eventually("the dead node gets no calls", () => !caller.registry.hasService("gift", nodeId));
async function timesOf(orderIds: readonly string[]): Promise<string[]> {
  const found = await rows<{ order_id: string; send_time: Date }>(
    "gift",
    "SELECT order_id, send_time FROM t_gift_record WHERE order_id IN (?)",
    [orderIds],
  );
  const times = new Map(found.map((row) => [row.order_id, row.send_time.toISOString()]));
  return orderIds.map((orderId) => times.get(orderId) as string);
}
async function eventsOf<N extends "gift.deadLettered">(name: N): Promise<EventMessage<N>["data"]["gifts"]> {
  const stream = await nats.jetstream().streams.get(`${natsPrefix()}EVENTS`);
  const { state } = await stream.info();
  const found: EventMessage<N>["data"]["gifts"] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const event = (await stream.getMessage({ seq })).json<EventMessage<N>>();
    if (event.name === name) found.push(...event.data.gifts);
  }
  return found;
}
async function deadLetterOf(orderId: string) {
  for await (const letter of letters.all()) if (Buffer.from(letter.data).toString().includes(orderId)) return letter;
  return undefined;
}

test("each gift of a group is settled once, beside a group of one", async () => {
  const gifts = users.map((user) => accepted(user));
  const alone = accepted(ann);
  await Promise.all([send(gifts), send([alone])]);
  const outcomes = await settledOrders([...idsOf(gifts), alone.orderId]);
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
  await nothingLeft();
});

test("a sender's gifts over many groups, of several gifts or one, are settled in their order", async () => {
  const all: AcceptedGift[] = [];
  for (let n = 0; n < 40; n++) {
    const gifts = [ann, bob, ann, cat].map((user) => accepted(user));
    all.push(...gifts);
    await (n % 4 === 3 ? Promise.all(gifts.map((gift) => send([gift]))) : send(gifts));
  }
  await settledOrders(idsOf(all));
  for (const user of [ann, bob, cat]) {
    const own = idsOf(all.filter(({ senderId }) => senderId === user));
    // Groups of one were published at once: of these their order is not known.
    const trades = (await tradesOfUser(user)).map(({ bizId }) => bizId).filter((id) => own.includes(id));
    const roundOf = (id: string) => Math.floor(own.indexOf(id) / (user === ann ? 2 : 1));
    expect(trades.map(roundOf)).toEqual(own.map(roundOf));
  }
});

test("gifts that come again in groups that are cut differently are charged once, and the new one among them too", async () => {
  const [a, b, c, d] = [ann, bob, cat, dan].map((user) => accepted(user)) as [
    AcceptedGift,
    AcceptedGift,
    AcceptedGift,
    AcceptedGift,
  ];
  await Promise.all([send([a, b, c]), send([c, d, a]), send([b]), send([a])]);
  await settledOrders(idsOf([a, b, c, d]));
  await nothingLeft();
  expect(await tradesOf(idsOf([a, b, c, d]))).toHaveLength(4);
  expect(await recordsOf(idsOf([a, b, c, d]))).toHaveLength(4);
});

test("the depth of the queue counts gifts, not messages; Redis may be lost while they wait", async () => {
  await nothingLeft();
  const held = await holdAccounts(users);
  const groups = Array.from({ length: limits.gift.depthMessagesRead + 4 }, () =>
    [ann, bob, cat].map((u) => accepted(u)),
  );
  try {
    for (const gifts of groups) await send(gifts);
    await eventually("all in flight", async () => {
      const { waiting, inFlight } = await depth();
      return waiting === 0 && inFlight === groups.length * 3;
    });
    const prefix = redis.options.keyPrefix ?? "";
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.del(keys.map((key) => key.slice(prefix.length)));
  } finally {
    await held.release();
  }
  await settledOrders(idsOf(groups.flat()));
  await nothingLeft();
});

test("of a group, a gift that cannot be read and one that the ledger cannot write are dead letters of one gift; the others settle, and a replay settles what was repaired", async () => {
  const bad = users[9] as string;
  const poison = accepted(bad);
  const good = [accepted(ann), accepted(bob), accepted(bad), accepted(ann)];
  const unreadable = { ...accepted(cat), count: -1 };
  const admin = await createConnection(process.env.MYSQL_URL as string);
  const trades = `${databaseName("wallet")}.t_qiyu_currency_trade`;
  await admin.query(`ALTER TABLE ${trades} ADD CONSTRAINT no_poison CHECK (biz_id <> '${poison.orderId}')`);
  const before = (await depth()).deadLetters;
  try {
    await send([good[0], unreadable, poison, ...good.slice(1)]);
    await settledOrders(idsOf([good[0], good[1], good[3]] as AcceptedGift[]));
    await eventually("two dead letters", async () => (await depth()).deadLetters === before + 2, 30_000);
    // The gift of the same sender that follows the poison.
    await settledOrders(idsOf(good));
  } finally {
    await admin.query(`ALTER TABLE ${trades} DROP CONSTRAINT no_poison`);
    await admin.end();
  }
  await nothingLeft();
  const [first, second] = [await deadLetterOf(unreadable.orderId), await deadLetterOf(poison.orderId)];
  expect([first, second]).toMatchObject([
    { channel: settlerDurable, item: 1, reason: expect.stringContaining("count") },
    { channel: settlerDurable, item: 2, reason: expect.stringContaining("wallet.consumeForSendGift") },
  ]);
  // A message of its own has a signature of its own, over the time of the first message too.
  const { storedAt } = (JSON.parse(Buffer.from(second!.data).toString()) as { gifts: [{ storedAt: string }] }).gifts[0];
  expect(Buffer.from(second!.data).toString()).toBe(signedText(subject, groupOf([{ storedAt, ...poison }])));
  // Of the one that cannot be read nobody can say what it is.
  const dead = await eventsOf("gift.deadLettered");
  expect(dead.map(({ orderId, time }) => ({ orderId, time }))).toEqual([{ orderId: poison.orderId, time: storedAt }]);
  const { senderId, receiverId, roomId, giftId, count, price } = poison;
  expect(dead[0]).toMatchObject({ senderId, receiverId, roomId, giftId, count, price });
  expect(await recordsOf([poison.orderId])).toEqual([]);
  expect(await letters.replay(second!.sequence, isOriginOfTable)).toBe(true);
  await settledOrders([poison.orderId]);
  // It keeps its time, which is that of the gifts it came with.
  expect(await timesOf([poison.orderId, good[0]!.orderId])).toEqual([storedAt, storedAt]);
  expect(await tradesOf(idsOf([...good, poison]))).toHaveLength(5);
});

test("a group of which one gift is settled and one is not when its node is killed comes again whole, and each is charged once", async () => {
  await nothingLeft();
  const dying = await nodeThatDies();
  const held = await holdAccounts([ann]);
  const [first, second, other] = [accepted(ann), accepted(ann), accepted(bob)];
  try {
    await send([first]);
    await eventually("ann's first gift is in work", async () => (await depth()).inFlight === 1);
    await send([second, other]);
    await settledOrders([other.orderId]);
    expect(await recordsOf(idsOf([first, second]))).toEqual([]);
    await dying.kill();
    giftNodes.push(await startNode("gift-3", [gift]));
  } finally {
    await held.release();
  }
  await settledOrders(idsOf([first, second, other]), 30_000);
  await forgotten(dying);
  await nothingLeft();
  const own = (await tradesOfUser(ann)).map(({ bizId }) => bizId);
  expect(own.slice(-2)).toEqual(idsOf([first, second]));
});

test("what a killed settler held is settled in each sender's order and before what came later, also where no single pull brings all of it", async () => {
  await nothingLeft();
  const dying = await nodeThatDies();
  const held = await holdAccounts(users);
  const round = () => Array.from({ length: 50 }, (_, n) => accepted(users[n % users.length] as string));
  const [early, late] = [Array.from({ length: 36 }, round), Array.from({ length: 4 }, round)];
  try {
    for (const gifts of early) await send(gifts);
    await eventually("all of it is held", async () => (await depth()).inFlight === early.flat().length);
    await dying.kill();
    for (const gifts of late) await send(gifts);
    giftNodes.push(await startNode("gift-4", [gift]));
  } finally {
    await held.release();
  }
  const all = [...early, ...late].flat();
  await settledOrders(idsOf(all), 30_000);
  await forgotten(dying);
  await nothingLeft();
  for (const user of users) {
    const own = idsOf(all.filter(({ senderId }) => senderId === user));
    expect((await tradesOfUser(user)).map(({ bizId }) => bizId).slice(-own.length)).toEqual(own);
  }
});
