import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { archivedTrades } from "../../../services/archived-tables.ts";
import { checksOf, runCheck } from "../../../services/auditor/comparison.ts";
import type { Difference } from "../../../services/auditor/differences.ts";
import { type FurtherBooks, openFurtherBooks } from "../../../services/auditor/further-books.ts";
import { allBookKeys } from "../../../services/book-keys.ts";
import { call } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { giftOf, settle } from "../wallet/traffic.ts";
import { compared, TestMover } from "./archiving.ts";
import { insertOrder, openDatabases, record, startWallet } from "./bookkeeping.ts";

/** What no unique key of one server can see: a business id on two, and holds whose orders or gifts are on another. */

jest.setTimeout(180_000);

let both: SecondServer;
let caller: ServiceBroker;
let books: Database;
let own: Database;
let further: FurtherBooks[];
/** What a person with the logins of others can do, on each server. */
let atHome: Connection;
let atB: Connection;
const [here, there] = [2, 3];
let payer: string;
let other: string;
let anchor: string;

const named = (found: readonly Difference[]) => found.map(({ kind, subject }) => `${kind} ${subject}`);
const verified = async () => named(await compared({ books, own, further }, true));

/** A round, which compares what is new since a time. */
async function round(since: Date): Promise<string[]> {
  const found: Difference[] = [];
  const ports = {
    ...{ secondLookMs: 1, isKnown: () => false, pageDone: async () => {} },
    found: async (differences: readonly Difference[]) => found.push(...differences) > 0,
  };
  const options = { books, further, own: { seen: own, audit: own }, keys: allBookKeys(), everyRow: false };
  for (const check of checksOf({ ...options, underWayMs: 1 })) if (check.rounds) await runCheck(check, since, ports);
  return named(found);
}

/** Runs a change by SQL, and takes it back. */
async function foundAfter(db: Connection, change: [string, unknown[]?], back: [string, unknown[]?]): Promise<string[]> {
  await db.query(...change);
  try {
    return await verified();
  } finally {
    await db.query(...back);
  }
}

async function move(bucket: number, server: string): Promise<void> {
  expect(await call(caller, "wallet.moveBucket", { bucket, server, operator: "tests" })).toEqual({ planned: true });
  await eventually(`bucket ${bucket} at ${server}`, async () => {
    return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
  });
}

async function funded(bucket: number, coins: number): Promise<string> {
  const [user] = usersOf(bucket, 1) as [string];
  await insertOrder(atHome, `order-${user}`, user, coins);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

async function give(from: string, receiverId: string, price: number): Promise<string> {
  const gift = giftOf(from, { receiverId, price });
  const [outcome] = await settle(caller, [gift]);
  await record(outcome?.server === "b" ? atB : atHome, [gift]);
  return gift.orderId;
}

/** A refund of a user's order, as payment makes it; resolves once the wallet has it, on this server. */
async function refunded(user: string, coins: number, url: string): Promise<void> {
  const orderId = `order-${user}`;
  const payment = databaseName("payment");
  await atHome.query(`UPDATE ${payment}.t_pay_order SET status = 5 WHERE order_id = ?`, [orderId]);
  await atHome.query(
    `INSERT INTO ${payment}.t_pay_refund (order_id, pay_channel, transaction_id, amount, reason, origin, state, create_time,
       update_time) VALUES (?, 3, ?, ?, 'by mistake', 'operator', 'done', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [orderId, `tx-${orderId}`, coins * 10],
  );
  await publish("pay.refund", {
    ...{ orderId, userId: user, coins, amount: coins * 10, reason: "by mistake", time: new Date().toISOString() },
  });
  await eventually("the refund", async () => {
    const sql = "SELECT id FROM t_qiyu_currency_trade WHERE biz_id = ?";
    return (await rowsAt(url, "wallet", sql, [`refund:${orderId}`])).length === 1;
  });
}

beforeAll(async () => {
  atHome = await openDatabases();
  await migrate(databaseName("auditor"), migrationFolders.auditor);
  both = await addSecondServer();
  atB = await createConnection({
    ...{ uri: both.urls.b, database: databaseName("wallet"), supportBigNumbers: true, bigNumberStrings: true },
    timezone: "Z",
  });
  const wallet = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", wallet.nodeID);
  books = new Database(databaseName("wallet"), { connections: 2, retried: () => {} });
  own = new Database(databaseName("auditor"), { connections: 1 });
  further = openFurtherBooks(2);
  await move(there, "b");
  [payer, other] = [await funded(there, 400), await funded(here, 400)];
  [anchor] = usersOf(there, 1) as [string];
  await give(payer, anchor, 100);
  await give(other, anchor, 100);
  await eventually("income", async () => (await call(caller, "wallet.income", { userId: anchor })).earned === 100);
});
afterAll(async () => {
  await Promise.all([atHome?.end(), atB?.end(), books?.close(), own?.close()]);
  await Promise.all((further ?? []).map((one) => one.books.close()));
  await closeAudits();
  await stopAll();
  await both?.close();
});

const trade = (user: string, num: number, type: number, bizId: string): [string, unknown[]] => [
  `INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points,
     balance_after, create_time) VALUES (?, ?, ?, 1, ?, 77, 0, 0, UTC_TIMESTAMP(3))`,
  [user, num, type, bizId],
];

test.each([
  ["a charge", -100, 0],
  ["a credit", 400, 1],
])("the business id of %s on two servers is named, by a pass and by the round after it", async (what, num, type) => {
  const bizId = what === "a credit" ? `order-${payer}` : await give(payer, anchor, 7);
  const since = new Date();
  const [sql, values] = trade(other, num, type, bizId);
  await atHome.query(sql, values);
  const isNamed = expect.arrayContaining([`idOnTwoServers coins ${bizId}`]);
  expect(await round(since)).toEqual(isNamed);
  expect(await foundAfter(atHome, ["DO 0"], ["DELETE FROM t_qiyu_currency_trade WHERE biz_id = ?", [bizId]])).toEqual(
    isNamed,
  );
});

test("a debt, a hold and a payout with one id on two servers are named, and the payout as paid twice", async () => {
  const payout = { userId: anchor, points: 1_000, payoutId: "p-1", operator: "tests" };
  await call(caller, "wallet.payout", payout);
  const hold = { userId: anchor, points: 500, holdId: "h-1", reason: "fraud", operator: "tests" };
  await call(caller, "wallet.holdFree", hold);
  await atB.query("INSERT INTO t_wallet_debt (user_id, num, biz_id) VALUES (?, 5, 'refund:twice')", [payer]);
  await atHome.query("INSERT INTO t_wallet_debt (user_id, num, biz_id) VALUES (?, 5, 'refund:twice')", [other]);
  for (const [id, kind, points] of [
    ["payout:p-1", 3, -1_000],
    ["free-hold:h-1", 1, -500],
  ])
    await atHome.query(
      "INSERT INTO t_income_posting (anchor_id, kind, points, status, biz_id) VALUES (?, ?, ?, 1, ?)",
      [other, kind, points, id],
    );
  const found = await verified();
  for (const db of [atHome, atB]) await db.query("DELETE FROM t_wallet_debt WHERE biz_id = 'refund:twice'");
  await atHome.query("DELETE FROM t_income_posting WHERE biz_id IN ('payout:p-1', 'free-hold:h-1')");
  expect(found).toEqual(
    expect.arrayContaining([
      "idOnTwoServers debts refund:twice",
      "paidTwice income payout:p-1",
      "idOnTwoServers income free-hold:h-1",
    ]),
  );
  expect(await verified()).toEqual([]);
});

test("the shares of gifts are added up on the further server too", async () => {
  const orderId = await give(payer, anchor, 11);
  const change = "UPDATE t_qiyu_currency_trade SET counterparty_income_points = ? WHERE biz_id = ?";
  const found = await foundAfter(atB, [change, [1_100, orderId]], [change, [550, orderId]]);
  expect(found).toEqual(expect.arrayContaining([`earningsDiffer anchor ${anchor} at b`]));
});

test("a hold on a further server has its refunded order at home, and its gifts", async () => {
  const user = await funded(there, 50);
  const gift = await give(user, anchor, 50);
  await refunded(user, 50, both.urls.b);
  const orderId = `order-${user}`;
  await call(caller, "wallet.holdIncome", { orderId, reason: "fraud", operator: "tests" });
  expect(await verified()).toEqual([]);
  const id = `holdDiffers hold:${orderId}:${anchor} at b`;
  const payment = databaseName("payment");
  const status = `UPDATE ${payment}.t_pay_order SET status = ? WHERE order_id = ?`;
  expect(await foundAfter(atHome, [status, [2, orderId]], [status, [5, orderId]])).toEqual(
    expect.arrayContaining([id]),
  );
  const part = "UPDATE t_income_hold_gift SET coins = ? WHERE gift_biz_id = ?";
  expect(await foundAfter(atB, [part, [51, gift]], [part, [50, gift]])).toEqual(expect.arrayContaining([id]));
  await atHome.query(
    "INSERT INTO t_income_hold_gift (hold_biz_id, gift_biz_id, coins_from, coins, points) VALUES ('hold:x:1', ?, 49, 1, 50)",
    [gift],
  );
  const found = await verified();
  await atHome.query("DELETE FROM t_income_hold_gift WHERE hold_biz_id = 'hold:x:1'");
  expect(found).toEqual(expect.arrayContaining([`holdDiffers gift order ${gift}`]));
});

test("a hold whose gifts are on another server, and their credit where she was before, raises no alarm", async () => {
  const bucket = 5;
  const user = await funded(bucket, 60);
  const gifts = [await give(user, anchor, 20)];
  await move(bucket, "b");
  const [local] = usersOf(here, 1) as [string];
  gifts.push(await give(user, local, 15), await give(user, anchor, 25));
  await refunded(user, 60, both.urls.b);
  const orderId = `order-${user}`;
  const held = await call(caller, "wallet.holdIncome", { orderId, reason: "fraud", operator: "tests" });
  expect(held).toMatchObject({ shortfall: 60, uncovered: 0, shares: { open: 0, held: 2 } });
  expect(await verified()).toEqual([]);
  const points = "UPDATE t_income_hold_gift SET points = points + ? WHERE gift_biz_id = ?";
  for (const [db, gift, at] of [
    [atB, gifts[0], ` at b`],
    [atHome, gifts[1], ""],
  ] as const)
    expect(await foundAfter(db, [points, [1, gift]], [points, [-1, gift]])).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`^holdDiffers hold:${orderId}:\\d+${at}$`))]),
    );
});

test("a paid order without its coins is named beside more of them than a page has findings, credited elsewhere", async () => {
  const ids = Array.from({ length: limits.books.findingsPerPage + 20 }, (_, n) => `many-${String(n).padStart(3, "0")}`);
  for (const id of [...ids, "many-lost"]) await insertOrder(atHome, id, payer, 10);
  for (const id of ids) await atB.query(...trade(payer, 10, 1, id));
  const found = await verified();
  await atB.query("DELETE FROM t_qiyu_currency_trade WHERE biz_id LIKE 'many-%'");
  await atHome.query(`DELETE FROM ${databaseName("payment")}.t_pay_order WHERE order_id LIKE 'many-%'`);
  expect(found.filter((one) => one.startsWith("orderNotCredited"))).toEqual(["orderNotCredited order many-lost"]);
});

test("the id of an archived row that is on another server again is named", async () => {
  await give(payer, anchor, 1);
  const mover = new TestMover(archivedTrades, { segmentRows: 4, sliceRows: 5 }, both.urls.b);
  await mover.until("nothing");
  await mover.close();
  const [archived] = await rowsAt<{ biz_id: string }>(
    ...([both.urls.b, "wallet", "SELECT biz_id FROM t_qiyu_currency_trade_archive WHERE type = 0 LIMIT 1"] as const),
  );
  const bizId = archived?.biz_id as string;
  expect(
    await foundAfter(atHome, trade(other, -7, 0, bizId), [
      "DELETE FROM t_qiyu_currency_trade WHERE biz_id = ?",
      [bizId],
    ]),
  ).toEqual(expect.arrayContaining([`idOnTwoServers coins ${bizId}`]));
  expect(await verified()).toEqual([]);
});
