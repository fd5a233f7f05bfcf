import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { Connection } from "mysql2/promise";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { openConnection } from "../../../mixins/mysql/servers.ts";
import { call } from "../../../services/contracts.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import { storeBucketOf } from "../../../services/wallet-buckets.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { giftOf, startWallet, walletOn } from "../wallet/traffic.ts";

/**
 * Two servers with users' data, of which one is away or has a closed bucket, while users of both send in the same messages:
 * those of the other one are settled as always, and nothing is lost, doubled or out of order.
 */

jest.setTimeout(120_000);

const router = { name: "im-router", actions: { roomGifts: () => null } } as unknown as ServiceSchema;
const [home, away, moving] = [3, 4, 5];
const [anchor] = usersOf(home, 1) as [string];
/** What settling takes at the most while nothing is away, on a very busy machine: less than any statement may take. */
const usualMs = 6_000;

let both: SecondServer;
let caller: ServiceBroker;
let wallet: ServiceBroker;
let node: ServiceBroker;

let neighbours: ServiceBroker;

beforeAll(async () => {
  both = await addSecondServer();
  neighbours = await startNode("neighbours", [router, liveRooms((roomId) => (roomId === 5 ? anchor : undefined))]);
  wallet = await startWallet("wallet-1");
  node = await startNode("gift-1", [gift]);
  caller = await startNode("caller", []);
  for (const [from, service, to] of [
    [caller, "wallet", wallet],
    [caller, "gift", node],
    [wallet, "gift", node],
    [node, "wallet", wallet],
    [node, "living-room", neighbours],
  ] as const)
    await waitForNode(from, service, to.nodeID);
  await move(away, "b");
});
afterAll(async () => {
  both?.wire.mend();
  await stopAll();
  await both?.close();
});

/** Brings the server back where a test failed before it did. */
const nothing = () => {};
let undo: () => void | Promise<void> = nothing;

afterEach(async () => {
  await undo();
  undo = nothing;
  both.wire.mend();
  walletOn(wallet).moveBreakpoint = undefined;
  const isBack = async () => (await isWhole("wallet", wallet.nodeID)) && (await isWhole("gift", node.nodeID));
  await eventually("the nodes are whole again", isBack, 20_000);
});

async function move(bucket: number, server: string): Promise<void> {
  await plan(bucket, server);
  await eventually(`bucket ${bucket} at ${server}`, movesDone);
}

const plan = async (bucket: number, server: string) =>
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });

async function movesDone(): Promise<boolean> {
  return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
}

const funded = async (bucket: number, count: number, coins = 1_000): Promise<string[]> => {
  const users = usersOf(bucket, count);
  await Promise.all(users.map((user) => recharge(caller, `r-${user}`, user, coins)));
  return users;
};

const sentBy: string[] = [];
const sentOrders: string[] = [];

/** So many gifts of each user, in turn, as accepted ones in the queue: users of all servers in the same messages. */
async function queue(users: readonly string[], each: number): Promise<AcceptedGift[]> {
  const gifts = Array.from({ length: each }, () =>
    users.map((senderId): AcceptedGift => {
      const request = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1 };
      const about = { orderId: randomUUID(), senderId, price: 1, sharePercent: 50, url: "" };
      return { ...request, ...about, contentHash: contentHashOf(request), acceptedAt: new Date().toISOString() };
    }),
  ).flat();
  for (const [partition, own] of Map.groupBy(gifts, ({ senderId }) => partitionOf(senderId)))
    await publish(`gift.send.${partition}`, { gifts: own });
  sentBy.push(...users);
  sentOrders.push(...gifts.map(({ orderId }) => orderId));
  return gifts;
}

const urlOf = { home: () => both.urls.home, b: () => both.urls.b };

/** The orders of users with records on a server, in the order of their ids. */
async function recorded(server: "home" | "b", users: readonly string[]): Promise<string[]> {
  const sql = "SELECT order_id FROM t_gift_record WHERE user_id IN (?) ORDER BY id";
  const rows = await rowsAt<{ order_id: string }>(urlOf[server](), "gift", sql, [users]);
  return rows.map(({ order_id }) => order_id);
}

async function allRecorded(
  server: "home" | "b",
  users: readonly string[],
  gifts: readonly AcceptedGift[],
  ms?: number,
) {
  const own = gifts.filter(({ senderId }) => users.includes(senderId));
  const isThere = async () => {
    const there = new Set(await recorded(server, users));
    return own.every(({ orderId }) => there.has(orderId));
  };
  await eventually(`all are recorded on ${server}`, isThere, ms);
}

/** Each user's gifts are charged and recorded once, in the order in which they were queued. */
async function expectOnceInOrder(server: "home" | "b", users: readonly string[], gifts: readonly AcceptedGift[]) {
  for (const user of users) {
    const own = gifts.filter(({ senderId }) => senderId === user).map(({ orderId }) => orderId);
    const sql = "SELECT biz_id, balance_after FROM t_qiyu_currency_trade WHERE user_id = ? AND type = 0 ORDER BY id";
    const trades = await rowsAt<{ biz_id: string }>(urlOf[server](), "wallet", sql, [user]);
    expect(trades.map(({ biz_id }) => biz_id)).toEqual(own);
    expect(await recorded(server, [user])).toEqual(own);
  }
}

const healthOf = (service: "wallet" | "gift", nodeID: string): Promise<Record<string, unknown>> =>
  caller.call(`${service}.health`, {}, { nodeID });

/** A node that is degraded is ready: no check of it has failed. One that was late for the report is in a later one. */
async function isDegraded(service: "wallet" | "gift", nodeID: string): Promise<boolean> {
  const report = await healthOf(service, nodeID);
  if (Object.values(report).some((one) => typeof one === "string")) return false;
  return JSON.stringify(report["mysql b"]).includes("server b is away, and its users are refused");
}

const isWhole = async (service: "wallet" | "gift", nodeID: string) =>
  (await healthOf(service, nodeID))["mysql b"] === true;

/** What keeps the further server from writing. */
let locking: Connection | undefined;

/** Reads are answered, and commits wait: as with a full disk of the log. */
async function lockWrites(): Promise<void> {
  locking = await openConnection(both.urls.b);
  await locking.query("FLUSH TABLES WITH READ LOCK");
}

async function unlockWrites(): Promise<void> {
  await locking?.end();
  locking = undefined;
}

test.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
  ["does not answer any more", () => both.wire.isolate(), () => both.wire.thaw()],
  ["refuses connections", () => both.wire.cut(), () => both.wire.mend()],
  ["answers reads alone", lockWrites, unlockWrites],
])(
  "while a server %s, users of the other one are settled and credited; then the others are, in order",
  async (_how, leave, comeBack) => {
    const [here, there] = [await funded(home, 4), await funded(away, 4)];
    const before = await queue([...here, ...there], 2);
    await allRecorded("home", here, before);
    await allRecorded("b", there, before);
    await leave();
    undo = comeBack;
    const first = await queue([...here, ...there], 3);
    await publish("pay.recharge", rechargeMessage(`more-${there[0]}`, there[0] as string, 7), `more:${there[0]}`);
    await publish("pay.recharge", rechargeMessage(`more-${here[0]}`, here[0] as string, 7), `more:${here[0]}`);
    // The first batch may wait until the server is known to be away.
    await allRecorded("home", here, first, limits.mysql.presenceLostMs + usualMs);
    await eventually("the nodes are degraded, and say so", async () => {
      return (await isDegraded("wallet", wallet.nodeID)) && (await isDegraded("gift", node.nodeID));
    });
    const later = [await queue([...there, ...here], 3), await queue([...here, ...there], 3)].flat();
    await allRecorded("home", here, later, usualMs);
    await eventually("the recharge is credited", async () => {
      return (await call(caller, "wallet.balance", { userId: here[0] as string })).totalCharged === 1_007;
    });
    const theirs = [...first, ...later].filter(({ senderId }) => there.includes(senderId));
    const onB = new Set(await recorded("b", there));
    expect(theirs.filter(({ orderId }) => onB.has(orderId))).toEqual([]);
    const balance = call(caller, "wallet.balance", { userId: there[0] as string });
    expect(failureName(await balance.catch((error: unknown) => error))).toBe("unavailable");
    await comeBack();
    undo = nothing;
    await allRecorded("b", there, [...first, ...later], 30_000);
    const all = [...before, ...first, ...later];
    await expectOnceInOrder("home", here, all);
    await expectOnceInOrder("b", there, all);
    await eventually(
      "the other recharge is credited too",
      async () => {
        return (await call(caller, "wallet.balance", { userId: there[0] as string })).totalCharged === 1_007;
      },
      20_000,
    );
  },
);

test("while a bucket is closed, users of the others are settled and credited; then its own are, in order", async () => {
  const [here, there] = [await funded(home, 4), await funded(moving, 4)];
  const before = await queue([...here, ...there], 2);
  await allRecorded("home", [...here, ...there], before);
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  walletOn(wallet).moveBreakpoint = async (step) => {
    if (step !== "closed") return;
    closed.resolve();
    await opened.promise;
  };
  await plan(moving, "b");
  await closed.promise;
  const first = await queue([...here, ...there], 3);
  await publish("pay.recharge", rechargeMessage(`more-${there[0]}`, there[0] as string, 7), `more:${there[0]}`);
  await publish("pay.recharge", rechargeMessage(`more-${here[0]}`, here[0] as string, 7), `more:${here[0]}`);
  await allRecorded("home", here, first, limits.wallet.closedBucketMs + usualMs);
  await eventually("the recharge is credited", async () => {
    return (await call(caller, "wallet.balance", { userId: here[0] as string })).totalCharged === 1_007;
  });
  const later = [await queue([...there, ...here], 3), await queue([...here, ...there], 3)].flat();
  await allRecorded("home", here, later, usualMs);
  expect(await recorded("b", there)).toEqual([]);
  opened.resolve();
  walletOn(wallet).moveBreakpoint = undefined;
  await eventually("the bucket has moved", movesDone, 20_000);
  await allRecorded("b", there, [...first, ...later], 30_000);
  await expectOnceInOrder("home", here, [...before, ...first, ...later]);
  for (const user of there) {
    const own = [...before, ...first, ...later].filter(({ senderId }) => senderId === user);
    const places = [...(await recorded("home", [user])), ...(await recorded("b", [user]))];
    expect(places).toEqual(own.map(({ orderId }) => orderId));
  }
  await eventually(
    "the other recharge is credited too",
    async () => {
      return (await call(caller, "wallet.balance", { userId: there[0] as string })).totalCharged === 1_007;
    },
    20_000,
  );
});

test("while a server is away, gifts of the other one's users are accepted, repeated and found; those of its own are 503", async () => {
  const [[one], [other]] = [await funded(home, 1), await funded(away, 1)] as [[string], [string]];
  const requestIds = new Map(["before", "new", "after"].map((name) => [name, randomUUID()]));
  const idOf = (name: string) => requestIds.get(name) as string;
  const request = (userId: string, name: string) => ({
    ...{ userId, requestId: idOf(name), roomId: 5, giftId: 24, receiverId: anchor, count: 1, type: 0 },
  });
  const accept = async (userIds: string[], name: string) =>
    (await call(caller, "gift.sendMany", { gifts: userIds.map((userId) => request(userId, name)) })).answers;
  const [settledOne, settledOther] = [orderIdOf(one, idOf("before")), orderIdOf(other, idOf("before"))];
  expect(await accept([one, other], "before")).toEqual([{ orderId: settledOne }, { orderId: settledOther }]);
  const isSettled = (orderId: string) =>
    call(caller, "gift.orderForPlatform", { orderId }).then(
      ({ status }) => status === "succeeded",
      () => false,
    );
  await eventually("both are settled", async () => (await isSettled(settledOne)) && (await isSettled(settledOther)));
  both.wire.cut();
  await eventually("the gift node knows", () => isDegraded("gift", node.nodeID));
  await eventually("the wallet node knows", () => isDegraded("wallet", wallet.nodeID));
  // Another node remembers nothing, and starts without the server.
  const second = await startNode("gift-2", [gift]);
  await waitForNode(caller, "gift", second.nodeID);
  await waitForNode(second, "wallet", wallet.nodeID);
  await waitForNode(second, "living-room", neighbours.nodeID);
  try {
    const on = { nodeID: second.nodeID };
    const [again, theirs, fresh] = (
      await call(
        caller,
        "gift.sendMany",
        { gifts: [request(one, "before"), request(other, "before"), request(one, "new")] },
        on,
      )
    ).answers;
    expect(again).toEqual({ orderId: settledOne });
    expect(theirs).toMatchObject({ failure: "unavailable" });
    expect(fresh).toEqual({ orderId: orderIdOf(one, idOf("new")) });
    const changed = { ...request(one, "before"), count: 2 };
    expect((await call(caller, "gift.sendMany", { gifts: [changed] }, on)).answers).toMatchObject([
      { failure: "idempotencyConflict" },
    ]);
    expect(await call(caller, "gift.order", { userId: one, orderId: settledOne }, on)).toMatchObject({
      status: "succeeded",
    });
    const unknown = call(caller, "gift.order", { userId: one, orderId: randomUUID() }, on);
    expect(failureName(await unknown.catch((error: unknown) => error))).toBe("giftOrderUnknown");
    const theirOrder = call(caller, "gift.order", { userId: other, orderId: settledOther }, on);
    expect(failureName(await theirOrder.catch((error: unknown) => error))).toBe("unavailable");
    const page = (userId: string) =>
      call(caller, "gift.records", { userId, direction: "sent", limit: 10 }, on).then(({ list }) => list.length);
    await eventually("both gifts are in the list", async () => (await page(one)) === 2);
    expect(failureName(await page(other).catch((error: unknown) => error))).toBe("unavailable");
    both.wire.mend();
    await eventually("the other's order is found", () => isSettled(settledOther), 15_000);
    // Each node finds it by itself.
    const isAccepted = async () => "orderId" in ((await accept([other], "after"))[0] ?? {});
    await eventually("her gifts are accepted", isAccepted, 15_000);
    await eventually("her gift is settled", () => isSettled(orderIdOf(other, idOf("after"))), 15_000);
  } finally {
    both.wire.mend();
    await stopNode(second);
  }
});

test("a wallet node starts while a server is away, serves the users of the other one, and heals by itself", async () => {
  const [[one], [other]] = [await funded(home, 1), await funded(away, 1)] as [[string], [string]];
  both.wire.cut();
  const second = await startWallet("wallet-2");
  try {
    await waitForNode(caller, "wallet", second.nodeID);
    await eventually("it is degraded, and says so", () => isDegraded("wallet", second.nodeID));
    const on = { nodeID: second.nodeID };
    const [his, hers] = [giftOf(one), giftOf(other)];
    const charge = () => call(caller, "wallet.consumeForSendGift", { bucket: 0, gifts: [his, hers], apart: true }, on);
    const { outcomes, away: left } = await charge();
    expect(outcomes).toMatchObject([{ orderId: his.orderId, status: "succeeded", server: "home" }]);
    expect(left).toEqual([other]);
    const whole = call(caller, "wallet.consumeForSendGift", { bucket: 0, gifts: [his, hers] }, on);
    expect(failureName(await whole.catch((error: unknown) => error))).toBe("unavailable");
    both.wire.mend();
    await eventually("both are charged", async () => (await charge()).away === undefined, 15_000);
    expect((await charge()).outcomes).toMatchObject([
      { orderId: his.orderId, repeated: true, server: "home" },
      { orderId: hers.orderId, status: "succeeded", repeated: true, server: "b" },
    ]);
    await eventually("the node is whole", () => isWhole("wallet", second.nodeID));
  } finally {
    both.wire.mend();
    await stopNode(second);
  }
});

test("all of that left every order once on one server, in ledgers and records", async () => {
  for (const service of ["wallet", "gift"] as const) {
    const [table, column] = service === "wallet" ? ["t_qiyu_currency_trade", "biz_id"] : ["t_gift_record", "order_id"];
    const sql = `SELECT ${column} AS id FROM ${table} WHERE ${column} IN (?)`;
    const rows = await Promise.all(
      Object.values(both.urls).map((url) => rowsAt<{ id: string }>(url, service, sql, [sentOrders])),
    );
    expect(
      rows
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(sentOrders.toSorted());
  }
  expect(new Set(sentBy.map(storeBucketOf))).toEqual(new Set([home, away, moving]));
});
