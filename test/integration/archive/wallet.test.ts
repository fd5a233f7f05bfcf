import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { archivedTrades } from "../../../services/archived-tables.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { archiveAll, closeArchives, makeOld, moverOf, segmentsOf, stepsUntil } from "../../support/archive.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { publish, recharge, rechargeMessage } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { giftOf, settle as settleOn, startWallet, walletOn } from "../wallet/traffic.ts";

const { table, archive } = archivedTrades;
let caller: ServiceBroker;
let node: ServiceBroker;
let other: Connection;
let next = 1_000;
const newUser = () => String(9_700_000_000_000_000_000n + BigInt(next++));

beforeAll(async () => {
  node = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  other = await createConnection({ uri: process.env.MYSQL_URL as string, database: databaseName("wallet") });
});
afterAll(async () => {
  await other?.end();
  await closeArchives();
  await stopAll();
});
afterEach(async () => {
  await other.rollback();
  await expectBooksBalanced();
});

const settle = (...gifts: Parameters<typeof settleOn>[1]) => settleOn(caller, gifts);
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;
const countOf = async (from: string, bizId: string) =>
  Number((await rows<{ n: string }>("wallet", `SELECT COUNT(*) AS n FROM ${from} WHERE biz_id = ?`, [bizId]))[0]?.n);

async function funded(coins: number): Promise<string> {
  const user = newUser();
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

/** Archives all trades that there are, up to a step; a newer one stays in the ledger. */
async function archiveTrades(last?: Parameters<typeof stepsUntil>[1], sliceRows = 1_000): Promise<void> {
  await makeOld(archivedTrades);
  await recharge(caller, `later-${newUser()}`, newUser(), 1);
  await stepsUntil(moverOf(archivedTrades, { sliceRows }), last);
}

describe("a charge is one for ever", () => {
  test("an archived gift is charged once: a repeat gets the first outcome, and is told to be one", async () => {
    const fan = await funded(100);
    const [gift, short] = [giftOf(fan), giftOf(fan, { price: 1_000 })];
    const first = await settle(gift, short);
    await archiveTrades();
    expect(await countOf(table, gift.orderId)).toBe(0);
    const again = await settle(gift, short, giftOf(fan));
    expect(again.slice(0, 2)).toEqual(first.map((outcome) => ({ ...outcome, repeated: true })));
    expect(again[2]).not.toHaveProperty("repeated");
    expect(await balance(fan)).toBe(80);
    expect([await countOf(table, gift.orderId), await countOf(archive, gift.orderId)]).toEqual([0, 1]);
  });

  test("an archived order with another receiver, amount or sender is a conflict", async () => {
    const [fan, rich] = [await funded(100), await funded(100)];
    const gift = giftOf(fan);
    await settle(gift);
    await archiveTrades();
    for (const reuse of [{ receiverId: "78" }, { price: 20 }, { senderId: rich }])
      expect(await settle({ ...gift, ...reuse })).toMatchObject([{ status: "failed", reason: "idempotencyConflict" }]);
    expect([await balance(fan), await balance(rich)]).toEqual([90, 100]);
  });

  test("an archived recharge is credited once", async () => {
    const fan = await funded(100);
    await archiveTrades();
    await publish("pay.recharge", rechargeMessage(`order-${fan}`, fan, 100), `again:${fan}`);
    // Behind it in the queue.
    await recharge(caller, `other-${fan}`, fan, 5);
    expect(await balance(fan)).toBe(105);
  });

  test.each(["filtered", "emptying"] as const)("also while its segment is %s, wherever its row is", async (state) => {
    const fan = await funded(100);
    const gifts = Array.from({ length: 8 }, () => giftOf(fan));
    const first = await settle(...gifts);
    await archiveTrades(state, 12);
    const last = (await segmentsOf(archivedTrades)).at(-1);
    expect(last?.state).toBe(state);
    const again = await settle(...gifts);
    expect(again).toEqual(first.map((outcome) => ({ ...outcome, repeated: true })));
    await archiveAll(archivedTrades);
    expect(await settle(...gifts)).toEqual(again);
    expect(await balance(fan)).toBe(20);
  });

  test("a node that has old filters writes nothing before it has loaded the new ones", async () => {
    const fan = await funded(100);
    const gift = giftOf(fan);
    await settle(gift);
    const { archive: filters } = walletOn(node).servers.all[0].view;
    await filters.stop();
    const loads = jest.spyOn(filters, "load");
    try {
      await archiveTrades();
      await settle(giftOf(fan));
      expect(loads).toHaveBeenCalled();
      loads.mockClear();
      // With the filters taken away, no transaction may write.
      loads.mockRejectedValue(new Error("cannot be loaded"));
      await archiveTrades();
      await expect(settle(giftOf(fan))).rejects.toThrow("cannot be loaded");
      expect(await balance(fan)).toBe(80);
    } finally {
      loads.mockRestore();
      await filters.start();
    }
    expect(await settle(gift)).toMatchObject([{ status: "succeeded", repeated: true }]);
    expect(await balance(fan)).toBe(80);
  });

  test("a segment becomes filtered only once the transactions that began before it have ended", async () => {
    const fan = await funded(100);
    await makeOld(archivedTrades);
    await recharge(caller, `later-${fan}`, newUser(), 1);
    const mover = moverOf(archivedTrades);
    await stepsUntil(mover, "partitioned");
    await other.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await other.query("START TRANSACTION");
    await other.query("SELECT revision FROM t_archive_revision WHERE table_name = ? LOCK IN SHARE MODE", [table]);
    // It gives up rather than keep charges waiting behind it.
    expect(await mover.step()).toMatchObject({ did: "waits" });
    expect((await segmentsOf(archivedTrades)).at(-1)?.state).toBe("planned");
    await other.query("COMMIT");
    expect(await moverOf(archivedTrades).step()).toMatchObject({ did: "filtered" });
    await archiveAll(archivedTrades);
  });
});

describe("what is archived is read as before", () => {
  test.each(["filtered", "emptying", "closed"] as const)(
    "a statement runs across the boundary without a gap or a double while the segment is %s",
    async (state) => {
      const fan = await funded(1_000);
      await settle(...Array.from({ length: 12 }, () => giftOf(fan)));
      const before = await statementOf(fan, 100);
      await archiveTrades(state, 9);
      await settle(giftOf(fan), giftOf(fan));
      const newest = (await statementOf(fan, 100)).slice(0, 2);
      const old = before.map(({ createTime: _time, ...row }) => row);
      for (const limit of [1, 2, 5, 100]) {
        const list = (await statementOf(fan, limit)).map(({ createTime: _time, ...row }) => row);
        expect(list.slice(2)).toEqual(old);
        expect(list.slice(0, 2).map(({ id }) => id)).toEqual(newest.map(({ id }) => id));
      }
      await archiveAll(archivedTrades);
    },
  );

  async function statementOf(userId: string, limit: number) {
    const list = [];
    for (let cursor: string | undefined; ; ) {
      const page = await call(caller, "wallet.statement", { userId, limit, ...(cursor && { cursor }) });
      list.push(...page.list);
      if (!page.nextCursor) return list;
      cursor = page.nextCursor;
    }
  }

  test("a refund of an order whose coins were spent on archived gifts holds back the anchors' shares", async () => {
    const operator = "alice";
    const [fan, anchor] = [newUser(), newUser()];
    await recharge(caller, `spent-${fan}`, fan, 100);
    await settle(...Array.from({ length: 10 }, () => giftOf(fan, { receiverId: anchor })));
    await archiveTrades();
    await refund(`spent-${fan}`, fan, 100);
    const affected = await call(caller, "wallet.affectedGifts", { orderId: `spent-${fan}`, limit: 100, operator });
    expect(affected).toMatchObject({
      taken: 0,
      shortfall: 100,
      uncovered: 0,
      anchors: [{ anchorId: anchor, gifts: 10 }],
    });
    const held = { orderId: `spent-${fan}`, anchorIds: [anchor], reason: "chargeback", operator };
    await call(caller, "wallet.holdIncome", held as ParamsOf<"wallet.holdIncome">);
    // The refund itself archived, and asked about again.
    await archiveTrades();
    await walletOn(node).servers.all[0].view.archive.load();
    const later = await call(caller, "wallet.affectedGifts", { orderId: `spent-${fan}`, limit: 100, operator });
    expect(later).toMatchObject({ shortfall: 100, anchors: [{ anchorId: anchor, state: "held" }] });
    expect(await call(caller, "wallet.refundsOf", { orderIds: [`spent-${fan}`, "never"] })).toEqual({
      list: [{ orderId: `spent-${fan}`, coins: 100 }],
    });
    const { trades } = await call(caller, "wallet.orderStory", { orderId: `spent-${fan}` });
    expect(trades.map(({ bizId, num }) => [bizId, num])).toEqual([
      [`spent-${fan}`, 100],
      [`refund:spent-${fan}`, -100],
    ]);
  });

  async function refund(orderId: string, userId: string, coins: number): Promise<void> {
    const message = { orderId, userId, coins, amount: coins * 10, reason: "r", time: new Date().toISOString() };
    await publish("pay.refund", message, `pay.refund:${orderId}`);
    await eventually(`the refund of ${orderId}`, async () => (await countOf(table, `refund:${orderId}`)) > 0);
  }

  test("credits by order and by time are found in both places, each once", async () => {
    const fans = [await funded(10), await funded(20)];
    await archiveTrades("emptying", 1_000);
    fans.push(await funded(30));
    const orderIds = fans.map((fan) => `order-${fan}`);
    const { list } = await call(caller, "wallet.creditsOf", { orderIds });
    expect(list.map(({ orderId, coins }) => [orderId, coins]).sort()).toEqual(
      orderIds.map((orderId, at) => [orderId, 10 * (at + 1)]).sort(),
    );
    const found = new Map<string, number>();
    let cursor: string | undefined;
    do {
      const params = { from: "2019-12-01T00:00:00.000Z", to: new Date(Date.now() + 60_000).toISOString() };
      const page = await call(caller, "wallet.creditsBetween", { ...params, ...(cursor && { cursor }) });
      for (const { orderId } of page.list) found.set(orderId, (found.get(orderId) ?? 0) + 1);
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(orderIds.map((orderId) => found.get(orderId))).toEqual([1, 1, 1]);
    expect([...found.values()].filter((times) => times > 1)).toEqual([]);
    await archiveAll(archivedTrades);
  });
});
