import { databaseName } from "../../../config/config.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { rowsOfKeys, tradesBook } from "./book-rows-store.ts";
import type { BookPage } from "./book-windows.ts";
import { inParts } from "./two-servers-store.ts";

/**
 * SQL that finds on further servers what a check of the home server's books misses there, archived rows too. Each statement
 * by an index.
 */

interface Trade extends Record<"biz_id" | "user_id" | "num", string> {
  status: number;
  type: number;
}

/** The trades of these business ids, by id; of an id that several servers have, the first one's. */
async function tradesByIds(all: readonly Queryable[], bizIds: readonly string[]): Promise<Map<string, Trade>> {
  const columns = "biz_id, user_id, num, status, type";
  const found = new Map<string, Trade>();
  for (const db of all.toReversed())
    for (const row of await inParts(bizIds, (part) =>
      db.query<Trade>(`SELECT ${columns} FROM ${rowsOfKeys(tradesBook(), columns)} t`, [part, part]),
    ))
      found.set(row.biz_id, row);
  return found;
}

async function hasPosting(all: readonly Queryable[], condition: string, values: readonly unknown[]): Promise<boolean> {
  for (const db of all)
    if ((await db.query(`SELECT 1 AS one FROM t_income_posting WHERE ${condition} LIMIT 1`, [...values])).length > 0)
      return true;
  return false;
}

interface PaymentOrder {
  order_id: string;
  coins: string;
  status: number;
  refund: string | null;
}

/** The orders whose coins were credited, and of refunded ones taken back or owed, on all servers together. */
export async function settledOrders(
  home: Queryable,
  all: readonly Queryable[],
  ids: readonly string[],
): Promise<Set<string>> {
  const payment = databaseName("payment");
  const orders = await inParts(ids, (part) =>
    home.query<PaymentOrder>(
      `SELECT o.order_id, o.coins, o.status, (SELECT r.amount FROM ${payment}.t_pay_refund r
         WHERE r.order_id = o.order_id AND r.amount = o.amount) AS refund
       FROM ${payment}.t_pay_order o WHERE o.order_id IN (?)`,
      [part],
    ),
  );
  const refundIds = orders.filter(({ status }) => Number(status) === 5).map(({ order_id }) => `refund:${order_id}`);
  const trades = await tradesByIds(all, [...orders.map(({ order_id }) => order_id), ...refundIds]);
  const owed = new Map<string, bigint>();
  for (const db of all)
    for (const { biz_id, num } of await inParts(refundIds, (part) =>
      db.query<{ biz_id: string; num: string }>("SELECT biz_id, num FROM t_wallet_debt WHERE biz_id IN (?)", [part]),
    ))
      owed.set(biz_id, (owed.get(biz_id) ?? 0n) + BigInt(num));
  const isSettled = ({ order_id, coins, status, refund: recorded }: PaymentOrder): boolean => {
    const credit = trades.get(order_id);
    if (!credit || Number(credit.type) !== 1 || Number(credit.status) !== 1) return false;
    if (Number(status) !== 5) return true;
    const refund = trades.get(`refund:${order_id}`);
    const taken = refund && Number(refund.status) === 1 ? -BigInt(refund.num) : 0n;
    return recorded !== null && taken + (owed.get(`refund:${order_id}`) ?? 0n) === BigInt(coins);
  };
  return new Set(orders.filter(isSettled).map(({ order_id }) => order_id));
}

interface MoneyOrder extends Record<"biz_id" | "user_id" | "amount", string> {
  kind: number;
  state: number | null;
  refusal: string | null;
}

interface Payout extends Record<"biz_id" | "anchor_id" | "points", string> {
  status: number;
}

/** The orders of the platform that are in the ledger of one of the servers as their state says. */
export async function keptPlatformOrders(
  home: Queryable,
  all: readonly Queryable[],
  bizIds: readonly string[],
): Promise<Set<string>> {
  const platform = databaseName("platform");
  const orders = await inParts(bizIds, (part) =>
    home.query<MoneyOrder>(
      `SELECT o.biz_id, o.kind, o.user_id, o.amount, s.state, s.refusal FROM ${platform}.t_money_order o
       LEFT JOIN ${platform}.t_money_state s ON s.order_id = o.id WHERE o.biz_id IN (?)`,
      [part],
    ),
  );
  const trades = await tradesByIds(
    all,
    orders.filter(({ kind }) => Number(kind) !== 2).map(({ biz_id }) => biz_id),
  );
  const ofPayouts = orders.filter(({ kind }) => Number(kind) === 2).map(({ biz_id }) => biz_id);
  const payouts: Payout[] = [];
  for (const db of all)
    payouts.push(
      ...(await inParts(ofPayouts, (part) =>
        db.query<Payout>(
          "SELECT biz_id, anchor_id, points, status FROM t_income_posting WHERE biz_id IN (?) AND kind = 3",
          [part],
        ),
      )),
    );
  const isKept = ({ biz_id, kind, user_id, amount, state, refusal }: MoneyOrder): boolean => {
    const status = Number(state) === 2 ? 1 : Number(state) === 3 && refusal === "balanceShort" ? 0 : undefined;
    if (status === undefined) return false;
    const fits = (row: { status: number }, user: string, coins: string) =>
      Number(row.status) === status && String(user) === String(user_id) && BigInt(coins) === BigInt(amount);
    if (Number(kind) === 2)
      return payouts.some((one) => one.biz_id === biz_id && fits(one, one.anchor_id, String(-BigInt(one.points))));
    const trade = trades.get(biz_id);
    const type = Number(kind) === 0 ? 1 : 3;
    return trade !== undefined && Number(trade.type) === type && fits(trade, trade.user_id, trade.num);
  };
  return new Set(orders.filter(isKept).map(({ biz_id }) => biz_id));
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
