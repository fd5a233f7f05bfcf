import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call, type EventMessage } from "../../../services/contracts.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import { insertRecords } from "../../../services/gift/record-writes-store.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { partitionsShared } from "../../support/partitions.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What battles and ranks stand on: the gifts' times, the watermark of the queue, and what the records add up to. */

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
const users = Array.from({ length: 4 }, (_, n) => String(9_600_000_000_000_000_000n + BigInt(n)));
const [ann, bob] = users as [string, string];
const router = {
  name: "im-router",
  actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) },
} as unknown as ServiceSchema;

let caller: ServiceBroker;
let giftNode: ServiceBroker;
let nats: NatsConnection;
let database: Database;

beforeAll(async () => {
  nats = await connect(natsOptions("test"));
  await startNode("neighbours", [router, liveRooms(() => anchor)]);
  await startNode("wallet", [wallet]);
  const giftNodes = await Promise.all([startNode("gift-1", [gift]), startNode("gift-2", [gift])]);
  [giftNode] = giftNodes;
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
  await partitionsShared("gift", giftNodes);
  database = new Database(databaseName("gift"));
  await Promise.all(users.map((user) => recharge(caller, `order-${user}`, user, 10_000)));
});
afterAll(async () => {
  await database.close();
  await nats.close();
  await stopAll();
});
afterEach(expectBooksBalanced);

const send = (userId: string, nodeID?: string) =>
  call(
    caller,
    "gift.send",
    { userId, giftId: 24, roomId: 5, receiverId: anchor },
    nodeID === undefined ? {} : { nodeID },
  );
const settledBefore = (time: string) => call(caller, "gift.settledBefore", { time });

/** JetStream's time of a message that is stored now, floored to ms. */
async function bell(): Promise<string> {
  const jetstream = nats.jetstream();
  const { seq, stream } = await jetstream.publish(`${natsPrefix()}event.test.bell`, "{}");
  const { time } = await (await nats.jetstreamManager()).streams.getMessage(stream, { seq });
  return new Date(time.getTime()).toISOString();
}

/** The gifts in the events of a name, in their order. */
async function eventGifts<N extends "gift.settled" | "gift.deadLettered">(name: N, orderIds: readonly string[]) {
  const stream = await nats.jetstream().streams.get(`${natsPrefix()}EVENTS`);
  const { state } = await stream.info();
  const found: EventMessage<N>["data"]["gifts"][number][] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const event = (await stream.getMessage({ seq })).json<EventMessage<N>>();
    if (event.name === name) found.push(...event.data.gifts.filter(({ orderId }) => orderIds.includes(orderId)));
  }
  return found;
}

async function recordOf(orderId: string) {
  const [row] = await database.query<{ id: string; send_time: Date }>(
    "SELECT id, send_time FROM t_gift_record WHERE order_id = ?",
    [orderId],
  );
  return { recordId: String(row?.id), time: row?.send_time.toISOString() as string };
}

/** A gift node in a process of its own, whose clock is wrong by so much. */
async function nodeWithClock(wrongMs: number): Promise<{ child: Child; nodeId: string }> {
  const child = startChild({
    name: "gift",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "gift", "{}", String(wrongMs)],
    cwd: projectRoot(),
    env: {},
    output: { prefix: "gift|" },
    ready: /^ready (\{.*\})$/,
  });
  const match = await child.ready;
  const { nodeId } = JSON.parse(match?.[1] ?? "{}") as { nodeId: string };
  await waitForNode(caller, "gift", nodeId);
  return { child, nodeId };
}

test("record, event, order and settledSince have JetStream's time of the gift's message, whatever clock the accepting node has", async () => {
  const { child, nodeId } = await nodeWithClock(60_000);
  try {
    const since = await bell();
    const { orderId } = await send(ann, nodeId);
    const until = await bell();
    await settledOrders([orderId]);
    const { recordId, time } = await recordOf(orderId);
    expect([since, time, until].toSorted()).toEqual([since, time, until]);
    const [told] = await eventually("the event", async () => {
      const gifts = await eventGifts("gift.settled", [orderId]);
      return gifts.length > 0 ? gifts : undefined;
    });
    expect(told).toMatchObject({ recordId, time });
    expect((await call(caller, "gift.order", { orderId, userId: ann })).time).toBe(time);
    const page = await call(caller, "gift.settledSince", { since });
    expect(page.gifts.find((one) => one.orderId === orderId)).toMatchObject({ recordId, time });
  } finally {
    await child.stop(10_000);
  }
});

test("settledBefore waits for the gifts that were stored before, over all partitions, and leaves no trace in the queue", async () => {
  const held = await holdAccounts([ann]);
  let orderId: string;
  let time: string;
  try {
    const before = await bell();
    ({ orderId } = await send(ann));
    await send(bob);
    time = await bell();
    await eventually("the bell before the gift is over", async () => (await settledBefore(before)).settled);
    const answer = await settledBefore(time);
    expect(answer.settled).toBe(false);
    expect(Date.parse(answer.oldest as string)).toBeGreaterThanOrEqual(Date.parse(before));
    expect(Date.parse(answer.oldest as string)).toBeLessThanOrEqual(Date.parse(time));
    for (let n = 0; n < 5; n++) expect((await settledBefore(time)).settled).toBe(false);
  } finally {
    await held.release();
  }
  await eventually("all of it is settled", async () => (await settledBefore(time)).settled);
  // At the moment of that answer, not later.
  expect((await recordOf(orderId)).time < time).toBe(true);
  expect((await eventGifts("gift.settled", [orderId])).length).toBeGreaterThan(0);
  await eventually("an empty queue", async () => {
    const depth = await call(caller, "gift.queueDepth", {});
    expect(depth.deadLetters).toBe(0);
    return depth.waiting + depth.inFlight === 0;
  });
});

test("many battles that end together cost few markers", async () => {
  const manager = await nats.jetstreamManager();
  const stored = async () => {
    let all = 0;
    for (let n = 0; n < limits.gift.partitions; n++)
      all += (await manager.streams.info(`${natsPrefix()}GIFTS-${n}`)).state.last_seq;
    return all;
  };
  const before = await stored();
  const times: string[] = [];
  for (let n = 0; n < 20; n++) times.push(await bell());
  await eventually("all are settled", async () => {
    const asked = Array.from({ length: 200 }, (_, n) => settledBefore(times[n % times.length] as string));
    return (await Promise.all(asked)).every(({ settled }) => settled);
  });
  // Two nodes, each with a marker a partition, and one more where the first was not seen yet.
  expect((await stored()) - before).toBeLessThanOrEqual(4 * limits.gift.partitions);
});

describe("totals", () => {
  let last = 0;
  const [room, other] = [71, 72];
  interface Row {
    senderId: string;
    at: string;
    count?: number;
    price?: number;
    roomId?: number;
    receiverId?: string;
    succeeded?: boolean;
    type?: number;
  }
  const recordsFor = (rows: readonly Row[]) =>
    rows.map(
      ({ senderId, at, count = 1, price = 1, roomId = room, receiverId = anchor, succeeded = true, type = 0 }) => {
        const asked = { giftId: 24, roomId, receiverId, type, count };
        const gift = {
          ...{ ...asked, orderId: `total-${++last}`, senderId, price, sharePercent: 0, url: "" },
          ...{ contentHash: contentHashOf(asked), acceptedAt: at },
        };
        return { gift, time: new Date(at), succeeded, reason: null, income: 0, incomePoints: 0 };
      },
    );
  const [from, inside, end] = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:30.000Z", "2026-01-01T00:01:00.000Z"];
  const totals = (sides: { roomId: number; receiverId: string }[], without: string[] = [], topSenders = true) =>
    call(caller, "gift.totals", { sides, from, until: end, without, topSenders });
  // These records have no trades: the books are compared without them.
  afterEach(async () => {
    await database.run("DELETE FROM t_gift_record WHERE order_id LIKE 'total-%'");
  });

  test("count what succeeded from the start until before the end, of a room and receiver, of any type, without given orders", async () => {
    const records = recordsFor([
      { senderId: "11", at: from, price: 5, count: 3 },
      { senderId: "12", at: inside, price: 7, type: 1 },
      { senderId: "13", at: "2026-01-01T00:00:59.999Z", price: 7 },
      { senderId: "14", at: inside, price: 2 },
      { senderId: "14", at: inside, price: 100 },
      { senderId: "15", at: "2025-12-31T23:59:59.999Z", price: 1_000 },
      { senderId: "15", at: end, price: 1_000 },
      { senderId: "15", at: inside, price: 1_000, succeeded: false },
      { senderId: "15", at: inside, price: 1_000, receiverId: "78" },
      { senderId: "15", at: inside, price: 4, roomId: other },
    ]);
    await insertRecords(database, records);
    // The second of these was before the start, and the third has no record.
    const without = [records[4]?.gift.orderId as string, records[5]?.gift.orderId as string, "total-none"];
    const sides = [
      { roomId: room, receiverId: anchor },
      { roomId: other, receiverId: anchor },
    ];
    const all = await totals(sides, without);
    expect(all.leftOut).toEqual(without.slice(0, 1));
    expect(await totals(sides, without, false)).toEqual({
      ...all,
      sides: all.sides.map((side) => ({ ...side, topSenders: [] })),
    });
    expect(all.sides).toEqual([
      {
        ...{ score: 31, gifts: 4 },
        topSenders: [
          { userId: "11", coins: 15 },
          { userId: "12", coins: 7 },
          { userId: "13", coins: 7 },
        ],
      },
      { score: 4, gifts: 1, topSenders: [{ userId: "15", coins: 4 }] },
    ]);
    expect((await totals([{ roomId: 99, receiverId: anchor }])).sides).toEqual([
      { score: 0, gifts: 0, topSenders: [] },
    ]);
  });

  test("take no connection from the settler, however many are asked for", async () => {
    const mysql = (giftNode.getLocalService("gift") as unknown as { mysql: Database }).mysql;
    const locks = new Database(databaseName("gift"), { connections: 1 });
    await locks.run("LOCK TABLES t_gift_record WRITE");
    const asked = Array.from({ length: 20 }, (_, n) =>
      call(
        caller,
        "gift.totals",
        { sides: [{ roomId: room, receiverId: anchor }], from, until: end, topSenders: n % 2 === 0 },
        { nodeID: giftNode.nodeID },
      ),
    );
    try {
      const readings = `SELECT 1 FROM information_schema.processlist
        WHERE db = DATABASE() AND info LIKE '%FORCE INDEX (idx_object)%'`;
      await eventually("they wait for the table", async () => (await database.query(readings)).length > 1, 5_000);
      await Promise.all(Array.from({ length: limits.mysql.poolConnections }, () => mysql.query("SELECT 1")));
    } finally {
      await locks.run("UNLOCK TABLES");
      await locks.close();
    }
    expect((await Promise.all(asked)).every(({ sides }) => sides[0]?.score === 0)).toBe(true);
  });

  test("of more than 2^53 coins are an error, never a rounded number", async () => {
    const rows = Array.from(
      { length: 1_000 },
      (): Row => ({ senderId: "11", at: inside, count: 9_999, price: 1_000_000_000 }),
    );
    await insertRecords(database, recordsFor(rows));
    await expect(totals([{ roomId: room, receiverId: anchor }])).rejects.toThrow("not a safe integer");
  });
});

test("received gifts are listed by their times, newest first, page by page, also where some have the same time", async () => {
  const receiverId = "9000000000000000055";
  const ats = [3, 1, 2, 2, 2, 5, 4].map((second) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)));
  const asked = { giftId: 24, roomId: 9, receiverId, type: 0, count: 1 };
  const fixed = { ...asked, senderId: "11", price: 1, sharePercent: 0, url: "", contentHash: contentHashOf(asked) };
  await insertRecords(
    database,
    ats.map((time, n) => {
      const gift = { ...fixed, orderId: `listed-${n}`, acceptedAt: time.toISOString() };
      return { gift, time, succeeded: true, reason: null, income: 0, incomePoints: 0 };
    }),
  );
  const listed: string[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 9; pages++) {
    const page = await call(caller, "gift.records", { userId: receiverId, direction: "received", limit: 2, cursor });
    listed.push(...page.list.map(({ orderId }) => orderId));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(listed).toEqual([5, 6, 0, 4, 3, 2, 1].map((n) => `listed-${n}`));
  await database.run("DELETE FROM t_gift_record WHERE order_id LIKE 'listed-%'");
});

test("partitions of the senders differ, so that the tests above concern several", () => {
  expect(partitionOf(ann)).not.toBe(partitionOf(bob));
});
