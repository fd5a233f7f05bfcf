import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { firstIdSince } from "../../mixins/mysql/first-id-since.ts";
import { externalOrderOf, payOrderOf, refundId } from "./business-ids.ts";

/** SQL of credits and refunds by payment order, for the comparison with payments. */

interface Credit {
  orderId: string;
  coins: number;
}

/** A credit with the account that it went to. */
interface PlacedCredit extends Credit {
  userId: string;
  balanceAfter: number;
  time: string;
  /** Of coins that the platform sold itself. */
  externalOrderId?: string;
}

interface CreditRow {
  id: string;
  biz_id: string;
  num: string;
  user_id: string;
  balance_after: string;
  create_time: Date;
}

function toPlacedCredit({ biz_id, num, user_id, balance_after, create_time }: CreditRow): PlacedCredit {
  const [coins, balanceAfter] = [toSafeInteger(num), toSafeInteger(balance_after)];
  const externalOrderId = externalOrderOf(biz_id);
  return {
    ...{ orderId: biz_id, userId: String(user_id), coins, balanceAfter, time: create_time.toISOString() },
    ...(externalOrderId !== undefined && { externalOrderId }),
  };
}

const recharge = 1;
const refund = 2;
const scannedRows = 20_000;

/** The credits of these orders; an order without one is left out. */
export async function creditsOfOrders(db: Queryable, orderIds: readonly string[]): Promise<Credit[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<{ biz_id: string; num: string }>(
    "SELECT biz_id, num FROM t_qiyu_currency_trade WHERE biz_id IN (?) AND type = ? AND status = 1",
    [orderIds, recharge],
  );
  return rows.map(({ biz_id, num }) => ({ orderId: biz_id, coins: toSafeInteger(num) }));
}

/** The coins of a refund: taken back by its row (a rejected row took none), and owed by the row of its debt. */
const refundColumns = `t.id, t.biz_id, t.create_time,
  IF(t.status = 1, ABS(t.num), 0) + COALESCE((SELECT d.num FROM t_wallet_debt d WHERE d.biz_id = t.biz_id), 0) AS coins`;

interface RefundRow {
  id: string;
  biz_id: string;
  coins: string;
}

const toRefund = ({ biz_id, coins }: RefundRow): Credit => ({
  orderId: payOrderOf(biz_id),
  coins: toSafeInteger(coins),
});

/** The refunds of these orders; an order without one is left out. */
export async function refundsOfOrders(db: Queryable, orderIds: readonly string[]): Promise<Credit[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<RefundRow>(
    `SELECT ${refundColumns} FROM t_qiyu_currency_trade t WHERE t.biz_id IN (?) AND t.type = ?`,
    [orderIds.map(refundId), refund],
  );
  return rows.map(toRefund);
}

const trades = { table: "t_qiyu_currency_trade", column: "create_time" } as const;

/** A part of the ids of the ledger, and a span of time within it; `to` is excluded. */
interface Stretch {
  readonly begin: string;
  readonly end: string;
  readonly from: Date;
  readonly to: Date;
}

/**
 * The rows of the ledger between two times, page by page; `cursor` is the trade id to continue from. Concurrent trades
 * may be some seconds out of order, so the scan begins a minute early. `read` returns the rows of a stretch by id.
 */
async function pageOfTime<Row extends { id: string }, Item>(
  db: Queryable,
  { from, to, cursor }: { from: Date; to: Date; cursor: string | undefined },
  read: (stretch: Stretch) => Promise<Row[]>,
  toItem: (row: Row) => Item,
): Promise<{ list: Item[]; nextCursor: string | null }> {
  const minute = 60_000;
  const begin = cursor ? BigInt(cursor) : await firstIdSince(db, trades, new Date(from.getTime() - minute));
  const end = begin + BigInt(scannedRows);
  const rows = await read({ begin: String(begin), end: String(end), from, to });
  const all = rows.map(toItem);
  const list = fittingPage(all, limits.bus.listBytes);
  // The answer is full: the next page begins with the first row that was left out.
  if (list.length < all.length) return { list, nextCursor: String(rows[list.length]?.id) };
  const [next] = await db.query<{ create_time: Date }>(
    "SELECT create_time FROM t_qiyu_currency_trade WHERE id >= ? ORDER BY id LIMIT 1",
    [String(end)],
  );
  const more = next !== undefined && next.create_time.getTime() < to.getTime() + minute;
  return { list, nextCursor: more ? String(end) : null };
}

/** The credits between two times, page by page. */
export function creditsOfTime(
  db: Queryable,
  from: Date,
  to: Date,
  cursor: string | undefined,
): Promise<{ list: PlacedCredit[]; nextCursor: string | null }> {
  const read = (stretch: Stretch) =>
    db.query<CreditRow>(
      `SELECT id, biz_id, num, user_id, balance_after, create_time FROM t_qiyu_currency_trade
       WHERE id >= ? AND id < ? AND type = ? AND status = 1 AND create_time >= ? AND create_time < ? ORDER BY id`,
      [stretch.begin, stretch.end, recharge, stretch.from, stretch.to],
    );
  return pageOfTime(db, { from, to, cursor }, read, toPlacedCredit);
}

/** The refunds between two times, page by page, also those that took no coins; no payments of debts, of the same type. */
export function refundsOfTime(
  db: Queryable,
  from: Date,
  to: Date,
  cursor: string | undefined,
): Promise<{ list: Credit[]; nextCursor: string | null }> {
  const read = (stretch: Stretch) =>
    db.query<RefundRow>(
      `SELECT ${refundColumns} FROM t_qiyu_currency_trade t
       WHERE t.id >= ? AND t.id < ? AND t.type = ? AND t.biz_id LIKE ? AND t.create_time >= ? AND t.create_time < ? ORDER BY t.id`,
      [stretch.begin, stretch.end, refund, `${refundId("")}%`, stretch.from, stretch.to],
    );
  return pageOfTime(db, { from, to, cursor }, read, toRefund);
}
