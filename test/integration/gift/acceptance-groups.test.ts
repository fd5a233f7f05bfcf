import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { mayHaveHappened } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { nodeOfPartition } from "../../../mixins/jetstream/partitions.ts";
import { call } from "../../../services/contracts.ts";
import { contentHashOf } from "../../../services/gift/accepted-gift.ts";
import type { GiftAnswer } from "../../../services/gift/gift.contract.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import { partitionOf } from "../../../services/gift-partitions.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { type AckDroppingServer, ackDropping } from "../../support/ack-dropping-server.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { partitionsShared } from "../../support/partitions.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { tokenOf } from "../../support/tokens.ts";
import { type Answer, send, startGateway } from "../api-gateway/neighbours.ts";

/**
 * Gifts are accepted in groups, over the bus and over HTTP: two gateways, two gift nodes, two wallets, each on a node
 * of its own. Redis and NATS are reached by way of stand-ins, so that a test can take Redis away and lose acks.
 */

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
let nextUser = 9_000_000_000_000_010_000n;

const neighbours: ServiceSchema[] = [
  {
    name: "user",
    actions: { revocations: () => ({ list: [], now: Date.now(), next: null }), ...restrictionsFake.actions },
  } as unknown as ServiceSchema,
  liveRooms((roomId) => (roomId === 5 ? anchor : undefined)),
  { name: "im-router", actions: { roomGifts: () => null } } as unknown as ServiceSchema,
];

let redis: CuttableServer;
let nats: AckDroppingServer;
let caller: ServiceBroker;
let giftNodes: [ServiceBroker, ServiceBroker];
let gateways: { broker: ServiceBroker; base: string }[];

beforeAll(async () => {
  redis = await cuttable(process.env.REDIS_URL as string);
  nats = await ackDropping(process.env.NATS_URL as string);
  // The settings are read when the first node starts.
  Object.assign(process.env, { REDIS_URL: redis.url, NATS_URL: nats.url });
  await startNode("neighbours", neighbours);
  await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  giftNodes = [await startNode("gift-1", [gift]), await startNode("gift-2", [gift])];
  const seen = ["user", "gift", "wallet", "living-room", "im-router"];
  gateways = [await startGateway(seen), await startGateway(seen)];
  caller = await startNode("caller", []);
  await caller.waitForServices(seen);
  for (const node of [caller, ...gateways.map(({ broker }) => broker)])
    for (const { nodeID } of giftNodes) await waitForNode(node, "gift", nodeID);
  await partitionsShared("gift", giftNodes);
});
afterAll(async () => {
  redis.mend();
  await stopAll();
  await Promise.all([redis.close(), nats.close()]);
});
afterEach(async () => {
  if (!caller) return;
  redis.mend();
  nats.drop(/nothing/, 0);
  await eventually("Redis is back", () => giftNodes.every((node) => stateOf(node).redis.status === "ready"));
  await expectBooksBalanced();
});

const stateOf = (node: ServiceBroker) => node.getLocalService("gift") as unknown as GiftState;

/** A user with coins, whose gifts go to this partition. */
async function richUser(partition?: number, coins = 1_000): Promise<string> {
  do nextUser++;
  while (partition !== undefined && partitionOf(String(nextUser)) !== partition);
  const user = String(nextUser);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

const one = (userId: string, over: object = {}) => ({ userId, giftId: 22, roomId: 5, receiverId: anchor, ...over });
const sendMany = async (node: ServiceBroker, gifts: unknown[]) =>
  (await call(caller, "gift.sendMany", { gifts }, { nodeID: node.nodeID })).answers;
const orderIn = (answer: GiftAnswer | undefined) => (answer && "orderId" in answer ? answer.orderId : undefined);
const failureIn = (answer: GiftAnswer | undefined) => {
  if (!answer || "orderId" in answer) return "accepted";
  const perhaps = mayHaveHappened({ type: answer.failure, data: answer.data });
  return perhaps ? `${answer.failure}?` : answer.failure;
};
const post = (base: string, userId: string, over: object = {}): Promise<Answer> => {
  const { userId: _user, ...body } = one(userId, over);
  return send(`${base}/live/api/gift/send`, { headers: { Authorization: `Bearer ${tokenOf(userId)}` }, body });
};
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;
const cutRedis = async () => {
  redis.cut();
  await eventually("the nodes notice", () => giftNodes.every((node) => stateOf(node).redis.status !== "ready"));
};

test("the gifts of a group are answered one by one: invalid ones between valid ones are refused, and do not affect these", async () => {
  const [rich, poor] = [await richUser(), String(++nextUser)];
  const answers = await sendMany(giftNodes[0], [
    one(rich),
    null,
    one(rich, { count: 0 }),
    { ...one(rich), receiverId: { toString: 1 } },
    one(rich, { giftId: 999 }),
    one(rich, { roomId: 6 }),
    one(poor),
    one(rich, { receiverId: rich }),
    one(rich, { orderId: "not-a-random-one" }),
    one(rich, { requestId: "last-of-all" }),
  ]);
  expect(answers.map(failureIn)).toEqual([
    "accepted",
    ...Array(3).fill("invalidParam"),
    ...["giftUnknown", "roomNotLive", "balanceShort", "giftToSelf", "invalidParam"],
    "accepted",
  ]);
  expect(answers[2]).toMatchObject({ data: { refusedBy: "gift.sendMany", field: "count" } });
  await settledOrders([orderIn(answers[0]) as string, orderIdOf(rich, "last-of-all")]);
  expect(await balance(rich)).toBe(1_000 - 180);
});

test.each([0, limits.gift.groupGifts + 1])("a group of %s gifts is refused as a whole", async (count) => {
  const gifts = Array(count).fill(one("1"));
  await expect(sendMany(giftNodes[0], gifts)).rejects.toMatchObject({ type: "invalidParam" });
});

test("repeats in one group, over groups and over both nodes are one order and one charge; other content conflicts", async () => {
  const user = await richUser();
  const requestId = "everywhere";
  const [same, other] = [one(user, { requestId }), one(user, { requestId, count: 2 })];
  const [first] = await sendMany(giftNodes[0], [same]);
  const orderId = orderIdOf(user, requestId);
  expect(first).toEqual({ orderId });
  const groups = await Promise.all(giftNodes.flatMap((node) => [1, 2].map(() => sendMany(node, [same, other, same]))));
  for (const answers of groups) expect(answers.map(failureIn)).toEqual(["accepted", "idempotencyConflict", "accepted"]);
  await settledOrders([orderId]);
  expect(await balance(user)).toBe(910);
});

test("two nodes that get one request id at once, with two contents, accept one content; the gifts that the reservation stops are unknown, never refused", async () => {
  const user = await richUser();
  const held = await holdAccounts([user]);
  const requestId = "contested-everywhere";
  const [same, other] = [one(user, { requestId }), one(user, { requestId, count: 2 })];
  const groups = await Promise.all(
    giftNodes.flatMap((node, at) => [1, 2].map(() => sendMany(node, at === 0 ? [same, other] : [other, same]))),
  ).finally(() => held.release());
  const [outcome] = await settledOrders([orderIdOf(user, requestId)]);
  const kinds = groups.flatMap((answers, at) => (at < 2 ? answers : answers.toReversed())).map(failureIn);
  const [won, lost] = outcome?.count === 1 ? [0, 1] : [1, 0];
  // A node that received the other content first does not wait for the node that reserved this one.
  const own = kinds.filter((_kind, at) => at % 2 === won);
  expect(own).toContain("accepted");
  for (const kind of own) expect(["accepted", "unavailable?"]).toContain(kind);
  for (const kind of kinds.filter((_kind, at) => at % 2 === lost))
    expect(["idempotencyConflict", "unavailable?"]).toContain(kind);
  // Once it is settled the outcome of every gift is known.
  for (const node of giftNodes) {
    const settled = (await sendMany(node, [same, other])).map(failureIn);
    expect([settled[won], settled[lost]]).toEqual(["accepted", "idempotencyConflict"]);
  }
});

test("a reservation of another node is no conflict: other content is unknown, not refused; the same content is accepted", async () => {
  const user = await richUser();
  const orderId = orderIdOf(user, "half-way");
  const content = one(user, { requestId: "half-way" });
  const { redis: memory } = stateOf(giftNodes[0]);
  await memory.set(`gift:accepted:${orderId}`, `reserved:${"0".repeat(32)}:another-node`, "PX", 60_000);
  const [unknown] = await sendMany(giftNodes[0], [content]);
  expect(failureIn(unknown)).toBe("unavailable?");
  await expect(call(caller, "gift.order", { userId: user, orderId })).rejects.toMatchObject({
    type: "giftOrderUnknown",
  });
  await memory.del(`gift:accepted:${orderId}`);
  expect(await sendMany(giftNodes[1], [content])).toEqual([{ orderId }]);
  await settledOrders([orderId]);
});

test("an invalid value in Redis, of any type, affects its order alone: the other orders of the group stay reserved and known", async () => {
  const user = await richUser();
  const held = await holdAccounts([user]);
  const { redis: memory } = stateOf(giftNodes[0]);
  const [text, hash] = ["not-json-order", "hash-order"].map((requestId) => one(user, { requestId }));
  const keys = ["not-json-order", "hash-order"].map((requestId) => `gift:accepted:${orderIdOf(user, requestId)}`);
  const good = one(user, { requestId: "good-neighbour" });
  await memory.set(keys[0] as string, "not JSON", "PX", 60_000);
  await memory.hset(keys[1] as string, { a: "b" });
  try {
    expect((await sendMany(giftNodes[0], [text, hash, good])).map(failureIn)).toEqual([
      ...["unavailable?", "unavailable?", "accepted"],
    ]);
    expect((await sendMany(giftNodes[1], [{ ...good, count: 2 }, good])).map(failureIn)).toEqual([
      ...["idempotencyConflict", "accepted"],
    ]);
  } finally {
    await held.release();
    await memory.del(keys as [string, string]);
  }
  expect((await sendMany(giftNodes[0], [text, hash])).map(failureIn)).toEqual(["accepted", "accepted"]);
  await settledOrders(["not-json-order", "hash-order", "good-neighbour"].map((id) => orderIdOf(user, id)));
});

test("many unknown gifts and rooms in one group are refused one by one, and a valid gift among them is accepted", async () => {
  const user = await richUser();
  const unknown = Array.from({ length: 100 }, (_, n) => [
    one(user, { giftId: 5_000 + n }),
    one(user, { roomId: 600 + n }),
  ]).flat();
  const answers = await sendMany(giftNodes[0], [...unknown, one(user)]);
  expect(answers.slice(0, -1).map(failureIn)).toEqual(Array(100).fill(["giftUnknown", "roomNotLive"]).flat());
  await settledOrders([orderIn(answers.at(-1)) as string]);
});

describe("with Redis away", () => {
  test("gifts are accepted; the node that accepted an order knows its repeats and reuses before it is settled", async () => {
    const user = await richUser();
    const held = await holdAccounts([user]);
    await cutRedis();
    const requestId = "without-redis";
    const [same, other] = [one(user, { requestId }), one(user, { requestId, count: 2 })];
    try {
      expect((await sendMany(giftNodes[0], [same, one(user)])).map(failureIn)).toEqual(["accepted", "accepted"]);
      expect((await sendMany(giftNodes[0], [other, same])).map(failureIn)).toEqual(["idempotencyConflict", "accepted"]);
    } finally {
      await held.release();
    }
    await settledOrders([orderIdOf(user, requestId)]);
    await eventually("both charged", async () => (await balance(user)) === 1_000 - 180);
    // After that every node finds it in the books.
    expect((await sendMany(giftNodes[1], [other, same])).map(failureIn)).toEqual(["idempotencyConflict", "accepted"]);
  });

  test("where two nodes accept gifts of one sender an order is charged once, with the content that is first in the queue", async () => {
    const user = await richUser();
    const held = await holdAccounts([user]);
    await cutRedis();
    const requestId = "two-without-redis";
    const orderId = orderIdOf(user, requestId);
    try {
      const [first] = await sendMany(giftNodes[0], [one(user, { requestId })]);
      const [repeat] = await sendMany(giftNodes[1], [one(user, { requestId })]);
      expect([first, repeat]).toEqual([{ orderId }, { orderId }]);
    } finally {
      await held.release();
    }
    expect(await settledOrders([orderId])).toMatchObject([{ status: "succeeded", count: 1 }]);
    expect(await balance(user)).toBe(910);
    const [late] = await sendMany(giftNodes[0], [one(user, { giftId: 24 })]);
    await settledOrders([orderIn(late) as string]);
    expect(await balance(user)).toBe(909);
  });
});

describe("acks of the queue that are lost", () => {
  test("once: the same message is published again, and the gifts are accepted once", async () => {
    const users = [await richUser(3), await richUser(3)];
    const gifts = users.map((user) => one(user, { requestId: "ack-lost-once" }));
    nats.drop(/"stream":"\w*GIFTS-3"/, 1);
    const answers = await sendMany(giftNodes[0], gifts);
    expect(nats.dropped).toBe(1);
    expect(answers.map(failureIn)).toEqual(["accepted", "accepted"]);
    await settledOrders(users.map((user) => orderIdOf(user, "ack-lost-once")));
    for (const user of users) expect(await balance(user)).toBe(910);
  });

  test("all: only the gifts of that message may be accepted or not, and their repeats are the same orders", async () => {
    const [lost, other] = [await richUser(3), await richUser(2)];
    const requestId = "acks-lost";
    nats.drop(/"stream":"\w*GIFTS-3"/, 1_000);
    const answers = await sendMany(giftNodes[0], [one(lost, { requestId }), one(other), one(lost)]);
    expect(answers.map(failureIn)).toEqual(["unavailable?", "accepted", "unavailable?"]);
    // While the partition does not ack, further gifts for it are refused at once, certainly not accepted.
    const startedAt = performance.now();
    expect((await sendMany(giftNodes[0], [one(lost), one(other)])).map(failureIn)).toEqual(["unavailable", "accepted"]);
    expect(performance.now() - startedAt).toBeLessThan(limits.jetstream.publishTimeoutMs);
    nats.drop(/nothing/, 0);
    const repeats = await eventually("the partition is tried again", async () => {
      const [again] = await sendMany(giftNodes[0], [one(lost, { requestId })]);
      return orderIn(again) && [again];
    });
    expect(repeats).toEqual([{ orderId: orderIdOf(lost, requestId) }]);
    expect((await sendMany(giftNodes[0], [one(lost, { requestId, count: 2 })])).map(failureIn)).toEqual([
      "idempotencyConflict",
    ]);
    await settledOrders([orderIdOf(lost, requestId)]);
    // The repeat may have been found in the books, so gifts for the partition may still be refused for a second.
    await eventually("the partition is used", () => !stateOf(giftNodes[0]).silent.has(3, performance.now()));
    // Both of the gifts whose acks were lost were stored, once each.
    await eventually("both charged", async () => (await balance(lost)) === 1_000 - 180);
  });
});

test("a node that accepts as many gifts as it may answers further ones at once, as not accepted", async () => {
  const user = await richUser();
  const [node] = giftNodes;
  const state = stateOf(node);
  state.accepting += limits.gift.acceptingGifts;
  try {
    expect((await sendMany(node, [one(user)])).map(failureIn)).toEqual(["unavailable"]);
  } finally {
    state.accepting -= limits.gift.acceptingGifts;
  }
  expect((await sendMany(node, [one(user)])).map(failureIn)).toEqual(["accepted"]);
});

test("a gift that is repriced between a request and its repeat keeps its first price", async () => {
  const user = await richUser();
  const giftId = 7_101;
  await call(caller, "gift.create", { giftId, giftName: "n", price: 10, operator: "op" });
  const held = await holdAccounts([user]);
  const content = one(user, { giftId, requestId: "repriced" });
  expect((await sendMany(giftNodes[0], [content])).map(failureIn)).toEqual(["accepted"]);
  await call(caller, "gift.update", { giftId, price: 20, operator: "op" });
  await eventually("both nodes know the price", () =>
    giftNodes.every((node) => stateOf(node).catalogueCache.cached(giftId)?.price !== 10),
  );
  for (const node of giftNodes) expect((await sendMany(node, [content])).map(failureIn)).toEqual(["accepted"]);
  const [next] = await sendMany(giftNodes[0], [one(user, { giftId })]);
  await held.release();
  const outcomes = await settledOrders([orderIdOf(user, "repriced"), orderIn(next) as string]);
  expect(outcomes.map(({ price }) => price).sort()).toEqual([10, 20]);
});

test("a gift that was left in a stream that is not written to is settled", async () => {
  const user = await richUser();
  const content = { giftId: 22, roomId: 5, receiverId: anchor, type: 0, count: 1 };
  const orderId = `left-over-${user}`;
  const message = {
    ...content,
    orderId,
    senderId: user,
    price: 90,
    sharePercent: 50,
    url: "",
    acceptedAt: new Date().toISOString(),
  };
  const last = limits.gift.partitions - 1;
  expect(last).toBeGreaterThanOrEqual(limits.gift.sendPartitions);
  await publish(`gift.send.${last}`, { ...message, contentHash: contentHashOf(content) });
  await settledOrders([orderId]);
  expect(await balance(user)).toBe(910);
});

test("a wallet node that leaves stops no gift: the other one is asked about its senders", async () => {
  const users = await Promise.all(Array.from({ length: 8 }, () => richUser()));
  const third = await startNode("wallet-3", [wallet]);
  for (const { nodeID } of giftNodes) await waitForNode(third, "gift", nodeID);
  for (const node of giftNodes)
    await eventually("it is seen", () => stateOf(node).walletNodes.ids().includes(third.nodeID));
  const stopped = stopNode(third);
  const orders: string[] = [];
  for (let n = 0; n < 5; n++)
    for (const node of giftNodes) {
      const answers = await sendMany(
        node,
        users.map((user) => one(user, { giftId: 24 })),
      );
      expect(answers.map(failureIn)).toEqual(answers.map(() => "accepted"));
      orders.push(...answers.map((answer) => orderIn(answer) as string));
    }
  await stopped;
  await settledOrders(orders);
});

describe("over HTTP", () => {
  test("one request id over both gateways is one order; with other content one content wins and the others conflict", async () => {
    const user = await richUser();
    const presses = (requestId: string, counts: number[]) =>
      Promise.all(counts.flatMap((count) => gateways.map(({ base }) => post(base, user, { requestId, count }))));
    const same = await presses("both-gateways", Array(10).fill(1));
    expect(new Set(same.map(({ text }) => text)).size).toBe(1);
    expect(same[0]?.data).toEqual({ orderId: orderIdOf(user, "both-gateways") });
    const mixed = await presses("both-contents", [1, 2, 1, 2, 1, 2]);
    expect(mixed.map(({ code }) => code).sort()).toEqual([...Array(6).fill(10_011), ...Array(6).fill(200)].sort());
    const [, outcome] = await settledOrders([orderIdOf(user, "both-gateways")]).then(async (first) => [
      ...first,
      ...(await settledOrders([orderIdOf(user, "both-contents")])),
    ]);
    expect(await balance(user)).toBe(1_000 - 90 - 90 * (outcome?.count as number));
  });

  test("a sender's gifts go to the node that pulls the sender's partition, from both gateways", async () => {
    const [first, second] = giftNodes.map(({ nodeID }) => nodeID).sort() as [string, string];
    const users = [await richUser(2), await richUser(1)];
    expect(users.map((user) => nodeOfPartition(partitionOf(user), [first, second]))).toEqual([first, second]);
    for (const [at, user] of users.entries()) {
      const requestId = `where-${randomUUID()}`;
      for (const { base } of gateways) expect((await post(base, user, { requestId })).code).toBe(200);
      const known = giftNodes.filter((node) => stateOf(node).orders.outcome(orderIdOf(user, requestId)));
      expect(known.map(({ nodeID }) => nodeID)).toEqual([[first, second][at]]);
    }
  });

  test("a gift node that stops while gifts arrive loses none: every request is answered 200, and settled once", async () => {
    const users = await Promise.all(Array.from({ length: 8 }, (_, n) => richUser(n % limits.gift.sendPartitions)));
    const third = await startNode("gift-3", [gift]);
    for (const { broker } of gateways) await waitForNode(broker, "gift", third.nodeID);
    const orders: string[] = [];
    const codes = new Set<number>();
    let isOver = false;
    const streams = users.map(async (user, at) => {
      const { base } = gateways[at % 2] as { base: string };
      for (let n = 0; !isOver && n < 500; n++) {
        const answer = await post(base, user, { giftId: 24 });
        codes.add(answer.code);
        if (answer.code === 200) orders.push((answer.data as { orderId: string }).orderId);
      }
    });
    await eventually("they flow", () => orders.length > 50);
    await stopNode(third);
    const sofar = orders.length;
    await eventually("they flow without it", () => orders.length > sofar + 50);
    isOver = true;
    await Promise.all(streams);
    expect([...codes]).toEqual([200]);
    expect(new Set(orders).size).toBe(orders.length);
    await settledOrders(orders);
  });
});
