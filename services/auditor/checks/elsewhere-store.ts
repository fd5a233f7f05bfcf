import { databaseName } from "../../../config/config.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { rowsOfKeys, tradesBook } from "./book-rows-store.ts";
import type { BookPage } from "./book-windows.ts";

/**
 * SQL that finds on further servers what a check of the home server's books misses there, archived rows too. Each statement
 * by an index.
 */

interface Trade extends Record<"user_id" | "num", string> {
  status: number;
  type: number;
}

async function tradeOf(db: Queryable, bizId: string): Promise<Trade | undefined> {
  const rows = rowsOfKeys(tradesBook(), "user_id, num, status, type");
  const [row] = await db.query<Trade>(`SELECT user_id, num, status, type FROM ${rows} t`, [[bizId], [bizId]]);
  return row;
}

async function firstTrade(all: readonly Queryable[], bizId: string): Promise<Trade | undefined> {
  for (const db of all) {
    const found = await tradeOf(db, bizId);
    if (found) return found;
  }
  return undefined;
}

async function hasPosting(all: readonly Queryable[], condition: string, values: readonly unknown[]): Promise<boolean> {
  for (const db of all)
    if ((await db.query(`SELECT 1 AS one FROM t_income_posting WHERE ${condition} LIMIT 1`, [...values])).length > 0)
      return true;
  return false;
}

/** Whether the coins of a paid order were credited, and those of a refunded one taken back or owed, on all servers together. */
export async function isOrderSettled(home: Queryable, all: readonly Queryable[], orderId: string): Promise<boolean> {
  const payment = databaseName("payment");
  const [order] = await home.query<{ coins: string; status: number; refund: string | null }>(
    `SELECT o.coins, o.status, (SELECT r.amount FROM ${payment}.t_pay_refund r
       WHERE r.order_id = o.order_id AND r.amount = o.amount) AS refund
     FROM ${payment}.t_pay_order o WHERE o.order_id = ?`,
    [orderId],
  );
  const credit = await firstTrade(all, orderId);
  if (!order || !credit || Number(credit.type) !== 1 || Number(credit.status) !== 1) return false;
  if (Number(order.status) !== 5) return true;
  const refund = await firstTrade(all, `refund:${orderId}`);
  let taken = refund && Number(refund.status) === 1 ? -BigInt(refund.num) : 0n;
  for (const db of all) {
    const [debt] = await db.query<{ num: string }>("SELECT num FROM t_wallet_debt WHERE biz_id = ?", [
      `refund:${orderId}`,
    ]);
    taken += BigInt(debt?.num ?? 0);
  }
  return order.refund !== null && taken === BigInt(order.coins);
}

/** Whether an order of the platform is in the ledger of one of the servers as its state says. */
export async function isPlatformOrderKept(home: Queryable, all: readonly Queryable[], bizId: string): Promise<boolean> {
  const platform = databaseName("platform");
  const [order] = await home.query<{
    kind: number;
    user_id: string;
    amount: string;
    state: number | null;
    refusal: string | null;
  }>(
    `SELECT o.kind, o.user_id, o.amount, s.state, s.refusal FROM ${platform}.t_money_order o
     LEFT JOIN ${platform}.t_money_state s ON s.order_id = o.id WHERE o.biz_id = ?`,
    [bizId],
  );
  if (!order) return false;
  const state = Number(order.state);
  const status = state === 2 ? 1 : state === 3 && order.refusal === "balanceShort" ? 0 : undefined;
  if (status === undefined) return false;
  if (Number(order.kind) === 2)
    return hasPosting(all, "biz_id = ? AND kind = 3 AND status = ? AND anchor_id = ? AND points = ?", [
      ...[bizId, status, order.user_id, String(-BigInt(order.amount))],
    ]);
  const trade = await firstTrade(all, bizId);
  const type = Number(order.kind) === 0 ? 1 : 3;
  return (
    trade !== undefined &&
    String(trade.user_id) === String(order.user_id) &&
    BigInt(trade.num) === BigInt(order.amount) &&
    Number(trade.type) === type &&
    Number(trade.status) === status
  );
}

/** A share of an order is of an anchor, a move of an order of its payer: there the order alone must fit. */
const ofUser = "AND anchor_id = ?";

/** What a move of staff that is done leaves in the income ledger: see staff-orders-store.ts. */
const postingOf: Readonly<Record<number, readonly [condition: string, prefix: string]>> = {
  3: [`biz_id = ? AND kind = 3 AND status = 1 ${ofUser}`, "payout:"],
  4: ["order_id = ? AND kind = 1", ""],
  5: ["order_id = ? AND kind = 2", ""],
  6: [`biz_id = ? AND kind = 1 AND status = 1 ${ofUser}`, "free-hold:"],
  7: [`biz_id = ? AND kind = 2 AND status = 1 ${ofUser}`, "free-release:"],
};

/** Whether a move of staff that is done is in the books of one of the servers. */
export async function isStaffMoveKept(home: Queryable, all: readonly Queryable[], moveId: string): Promise<boolean> {
  const [move] = await home.query<{ kind: number; user_id: string; subject: string }>(
    `SELECT kind, user_id, subject FROM ${databaseName("staff")}.t_staff_proposal WHERE id = ?`,
    [moveId],
  );
  const posting = move && postingOf[Number(move.kind)];
  if (posting) {
    const [condition, prefix] = posting;
    const values = [`${prefix}${move.subject}`, ...(condition.endsWith(ofUser) ? [move.user_id] : [])];
    return hasPosting(all, condition, values);
  }
  if (Number(move?.kind) !== 8) return false;
  for (const db of all) {
    const closed = await db.query("SELECT 1 AS one FROM t_qiyu_currency_account WHERE user_id = ? AND status = 0", [
      move?.user_id,
    ]);
    if (closed.length > 0) return true;
  }
  return false;
}

/** A row of a ledger that an order must bear out. */
export interface OrderedRow extends Record<"biz_id" | "user_id" | "num", string> {
  readonly type: number;
  readonly status: number;
  /** Of the debt with the same business id. */
  readonly debt: string | null;
}

/** The credits, refunds, payments of debts and adjustments of a page, without moves of buckets. */
export function orderedRows({ db, rows }: BookPage, limit: number): Promise<OrderedRow[]> {
  return db.query<OrderedRow>(
    `SELECT t.biz_id, t.user_id, t.num, t.type, t.status, d.num AS debt
     FROM ${rows("id, biz_id, user_id, num, type, status")} t
     LEFT JOIN t_wallet_debt d ON t.type = 2 AND d.biz_id = t.biz_id
     WHERE t.type <> 0 AND t.biz_id NOT LIKE 'bucket-%' ORDER BY t.id LIMIT ?`,
    [limit],
  );
}

/** The payouts among these postings, but for those of an operator. */
export function orderedPayouts(db: Queryable, from: string, to: string, limit: number) {
  return db.query<Record<"biz_id" | "user_id" | "points", string> & { status: number }>(
    `SELECT biz_id, anchor_id AS user_id, points, status FROM t_income_posting
     WHERE id > ? AND id <= ? AND kind = 3 AND biz_id NOT LIKE 'payout:%' LIMIT ?`,
    [from, to, limit],
  );
}

export interface KnownOrder extends Record<"user_id" | "amount", string> {
  readonly id: string;
  readonly state: number | null;
  /** Of the platform: 0 credit, 1 adjustment, 2 payout. */
  readonly kind: number;
}

/** The orders of the payment service among these. */
export async function paidOrders(home: Queryable, ids: readonly string[]): Promise<Map<string, KnownOrder>> {
  if (ids.length === 0) return new Map();
  const rows = await home.query<KnownOrder>(
    `SELECT order_id AS id, user_id, coins AS amount, status AS state, 0 AS kind
     FROM ${databaseName("payment")}.t_pay_order WHERE order_id IN (?)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** The orders of the platform among these business ids. */
export async function platformOrders(home: Queryable, ids: readonly string[]): Promise<Map<string, KnownOrder>> {
  if (ids.length === 0) return new Map();
  const platform = databaseName("platform");
  const rows = await home.query<KnownOrder>(
    `SELECT o.biz_id AS id, o.user_id, o.amount, s.state, o.kind FROM ${platform}.t_money_order o
     LEFT JOIN ${platform}.t_money_state s ON s.order_id = o.id WHERE o.biz_id IN (?)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Anchors of a server above a user id who were paid. */
export function incomesAfter(db: Queryable, above: string, limit: number) {
  return db.query<{ user_id: string }>(
    "SELECT user_id FROM t_anchor_income WHERE user_id > ? AND paid_out_points > 0 ORDER BY user_id LIMIT ?",
    [above, limit],
  );
}

/** What these anchors earned on a server, and what was paid out there. */
export async function incomesOf(db: Queryable, anchors: readonly string[]) {
  if (anchors.length === 0) return [];
  return db.query<{ user_id: string; earned: string; paid: string }>(
    "SELECT user_id, earned_points AS earned, paid_out_points AS paid FROM t_anchor_income WHERE user_id IN (?)",
    [anchors],
  );
}
