import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { archivedRecords, archivedTables, archivedTrades } from "../../../services/archived-tables.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { settledSince } from "../../../services/gift/gift-store.ts";
import { NodeOrders } from "../../../services/gift/node-orders.ts";
import { insertRecords, type SettledRecord } from "../../../services/gift/record-writes-store.ts";
import { settle } from "../../../services/gift/settler.ts";
import { totalsOfSides } from "../../../services/gift/totals-store.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import {
  archiveAll,
  asRoot,
  closeArchives,
  databaseOf,
  makeOld,
  moverOf,
  segmentsOf,
  stepsUntil,
} from "../../support/archive.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { walletOn } from "../wallet/traffic.ts";

const anchor = "9000000000000000077";
const shown: string[] = [];
const neighbours: ServiceSchema[] = [
  liveRooms((roomId) => (roomId === 5 ? anchor : undefined)),
  {
    name: "im-router",
    actions: {
      roomGifts(ctx: { params: { rooms: { gifts: { orderId: string }[] }[] } }) {
        shown.push(...ctx.params.rooms.flatMap(({ gifts }) => gifts.map(({ orderId }) => orderId)));
        return null;
      },
      sendToUsers: () => ({ delivered: 1 }),
    },
  } as unknown as ServiceSchema,
];

let caller: ServiceBroker;
let giftNode: ServiceBroker;
let walletNode: ServiceBroker;
let next = 1_000;
const newUser = () => String(9_800_000_000_000_000_000n + BigInt(next++));
const giftService = () => giftNode.getLocalService("gift") as unknown as Service & GiftState;

beforeAll(async () => {
  await startNode("neighbours", neighbours);
  walletNode = await startNode("wallet", [wallet]);
  giftNode = await startNode("gift", [gift]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
});
afterAll(async () => {
  await closeArchives();
  await stopAll();
});
afterEach(expectBooksBalanced);

interface Send {
  userId: string;
  requestId?: string;
  count?: number;
  giftId?: number;
}
const send = (request: Send) =>
  call(caller, "gift.send", { giftId: 22, roomId: 5, receiverId: anchor, type: 0, count: 1, ...request });
const settled = (userId: string, orderId: string) =>
  eventually(`order ${orderId} settled`, async () => {
    const order = await call(caller, "gift.order", { userId, orderId });
    return order.status === "accepted" ? undefined : order;
  });
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;

async function richUser(): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, 10_000);
  return user;
}

/** Sends gifts and waits until they are settled. */
async function sent(userId: string, count: number): Promise<string[]> {
  const orderIds: string[] = [];
  for (let n = 0; n < count; n++)
    orderIds.push((await send({ userId, requestId: `${userId}-${n}`, count: n + 1 })).orderId);
  for (const orderId of orderIds) await settled(userId, orderId);
  return orderIds;
}

/** Archives what there is in both tables up to a step, and lets the nodes have the filters. */
async function archiveBoth(last?: Parameters<typeof stepsUntil>[1], sliceRows = 1_000): Promise<void> {
  for (const table of archivedTables) await makeOld(table);
  const user = await richUser();
  await sent(user, 1);
  for (const table of archivedTables) await stepsUntil(moverOf(table, { sliceRows }), last);
  await giftService().records.all[0].archive.load();
  await walletOn(walletNode).servers.all[0].view.archive.load();
  // As minutes later: the node remembers no order of its own.
  giftService().orders = new NodeOrders();
}

test("a request id whose gift is archived gets its first order, and other content is refused: for ever", async () => {
  const fan = await richUser();
  const [orderId] = await sent(fan, 1);
  const before = await call(caller, "gift.order", { userId: fan, orderId: orderId as string });
  const coins = await balance(fan);
  await archiveBoth();
  expect(await rows("gift", "SELECT id FROM t_gift_record WHERE order_id = ?", [orderId])).toEqual([]);
  expect(await send({ userId: fan, requestId: `${fan}-0` })).toMatchObject({ orderId });
  expect(await send({ userId: fan, requestId: `${fan}-0`, count: 2 }).then(() => "accepted", failureName)).toBe(
    "idempotencyConflict",
  );
  expect(await call(caller, "gift.order", { userId: fan, orderId: orderId as string })).toEqual(before);
  expect(await balance(fan)).toBe(coins);
});

test("a gift that comes out of the queue again after its record is archived is charged once, and keeps its record", async () => {
  const fan = await richUser();
  const [orderId] = await sent(fan, 1);
  const recordOf = (table: string) =>
    rows<{ id: string }>("gift", `SELECT id FROM ${table} WHERE order_id = ?`, [orderId]);
  const record = await recordOf("t_gift_record");
  const coins = await balance(fan);
  await archiveBoth();
  await settle(
    giftService(),
    [{ data: acceptedGift(orderId as string, fan), storedAtMs: Date.now() } as never],
    () => {},
  );
  expect([await recordOf("t_gift_record"), await recordOf("t_gift_record_archive")]).toEqual([[], record]);
  expect(await balance(fan)).toBe(coins);
});

/** A gift of 90 coins as acceptance puts it into the queue. */
const acceptedGift = (orderId: string, senderId: string) => ({
  ...{ orderId, senderId, receiverId: anchor, roomId: 5, giftId: 22, count: 1, price: 90, type: 0 },
  ...{ sharePercent: 50, url: "", contentHash: "0".repeat(32), acceptedAt: new Date().toISOString() },
});

test.each(["filtered", "emptying", "closed"] as const)(
  "pages of sent and received gifts run across the boundary without a gap or a double while the segment is %s",
  async (state) => {
    const fan = await richUser();
    const orderIds = await sent(fan, 6);
    await archiveBoth(
      state,
      Number((await rows<{ n: string }>("gift", "SELECT COUNT(*) AS n FROM t_gift_record"))[0]?.n) - 2,
    );
    expect((await segmentsOf(archivedRecords)).at(-1)?.state).toBe(state);
    orderIds.push((await send({ userId: fan, requestId: `${fan}-new` })).orderId);
    await settled(fan, orderIds.at(-1) as string);
    for (const limit of [1, 3, 100])
      expect(await pages({ userId: fan, direction: "sent", limit })).toEqual(orderIds.toReversed());
    const all = await pages({ userId: anchor, direction: "received", limit: 100 });
    expect([...all].sort()).toEqual([...new Set(all)].sort());
    for (const limit of [1, 7]) expect(await pages({ userId: anchor, direction: "received", limit })).toEqual(all);
    expect(all.filter((orderId) => orderIds.includes(orderId))).toEqual(orderIds.toReversed());
    const { gifts } = await readAll();
    expect(new Set(gifts).size).toBe(gifts.length);
    expect(gifts.filter((orderId) => orderIds.includes(orderId))).toEqual(orderIds);
    await archiveAll(archivedRecords);
    await archiveAll(archivedTrades);
  },
);

async function pages(query: { userId: string; direction: "sent" | "received"; limit: number }): Promise<string[]> {
  const list: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await call(caller, "gift.records", { ...query, ...(cursor && { cursor }) });
    list.push(...page.list.map(({ orderId }) => orderId));
    if (!page.nextCursor) return list;
    cursor = page.nextCursor;
  }
}

/** All settled gifts, as a consumer reads them that has lost its events. */
async function readAll(): Promise<{ gifts: string[] }> {
  const gifts: string[] = [];
  for (let next: { until?: string; cursor?: string } = {}; ; ) {
    const page = await settledSince(databaseOf(archivedRecords), { since: new Date("2019-01-01"), ...next });
    gifts.push(...page.gifts.map(({ orderId }) => orderId));
    if (page.nextCursor === null) return { gifts };
    next = { until: page.until, cursor: page.nextCursor };
  }
}

test("the totals of a span that is archived are what they were, and the story tells the gift", async () => {
  const fan = await richUser();
  const orderIds = await sent(fan, 3);
  const span = { from: "2019-01-01T00:00:00.000Z", until: new Date(Date.now() + 60_000).toISOString() };
  const wanted = {
    ...span,
    sides: [{ roomId: 5, receiverId: anchor }],
    without: [orderIds[1] as string],
    topSenders: true,
  };
  const totals = () => totalsOfSides(databaseOf(archivedRecords), wanted);
  const before = await totals();
  const story = await call(caller, "gift.orderStory", { orderId: orderIds[0] as string });
  await archiveBoth("emptying", 2);
  const [more] = await rows<{ score: string; gifts: string }>(
    "gift",
    "SELECT SUM(price * count) AS score, COUNT(*) AS gifts FROM t_gift_record WHERE id = (SELECT MAX(id) FROM t_gift_record)",
  );
  const after = await totals();
  expect(after.sides[0]?.score).toBe((before.sides[0]?.score ?? 0) + Number(more?.score));
  expect(after.sides[0]?.gifts).toBe((before.sides[0]?.gifts ?? 0) + Number(more?.gifts));
  expect(after.leftOut).toEqual([orderIds[1]]);
  await archiveAll(archivedRecords);
  expect(await totals()).toEqual(after);
  expect((await call(caller, "gift.orderStory", { orderId: orderIds[0] as string })).record?.id).toEqual(
    story.record?.id,
  );
  await archiveAll(archivedTrades);
});

test("of repeated gifts the archived records are found, and the others are written", async () => {
  const fan = await richUser();
  const [orderId] = await sent(fan, 1);
  await archiveBoth();
  const [stored] = await rows<{ id: string }>("gift", "SELECT id FROM t_gift_record_archive WHERE order_id = ?", [
    orderId,
  ]);
  const record = (id: string, repeated: boolean): SettledRecord => ({
    gift: acceptedGift(id, fan),
    ...{ time: new Date(), succeeded: true, reason: null, income: 45, incomePoints: 4_500, repeated },
  });
  const written = await insertRecords(databaseOf(archivedRecords), [
    record(orderId as string, true),
    record("repeated-and-new", true),
    record("new", false),
  ]);
  expect(written[0]?.recordId).toBe(stored?.id);
  expect(
    await rows("gift", "SELECT order_id FROM t_gift_record WHERE order_id IN ('new', 'repeated-and-new')"),
  ).toHaveLength(2);
  await asRoot("gift", "DELETE FROM t_gift_record WHERE order_id IN ('new', 'repeated-and-new')");
});

test("a node whose filters are too old asks the archive", async () => {
  const fan = await richUser();
  const [orderId] = await sent(fan, 1);
  const filters = giftService().records.all[0].archive;
  await filters.stop();
  const load = jest.spyOn(filters, "load").mockResolvedValue();
  const now = performance.now.bind(performance);
  const clock = jest.spyOn(performance, "now");
  try {
    await archiveBoth();
    expect(filters.lookups([orderId as string])).not.toContainEqual(expect.objectContaining({ to: 2n ** 64n - 1n }));
    clock.mockImplementation(() => now() + limits.archive.freshMs + 1_000);
    expect(await call(caller, "gift.order", { userId: fan, orderId: orderId as string })).toMatchObject({ orderId });
  } finally {
    load.mockRestore();
    clock.mockRestore();
    await filters.start();
  }
});
