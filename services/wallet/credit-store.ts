import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { firstIdSince } from "../../mixins/mysql/first-id-since.ts";
import { payOrderOf, refundId } from "./business-ids.ts";

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
  return { orderId: biz_id, userId: String(user_id), coins, balanceAfter, time: create_time.toISOString() };
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

/** The orders that have a row of their refund, whether it took coins back or not. */
export async function refundsOfOrders(db: Queryable, orderIds: readonly string[]): Promise<{ orderId: string }[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<{ biz_id: string }>(
    "SELECT biz_id FROM t_qiyu_currency_trade WHERE biz_id IN (?) AND type = ?",
    [orderIds.map(refundId), refund],
  );
  return rows.map(({ biz_id }) => ({ orderId: payOrderOf(biz_id) }));
}

const trades = { table: "t_qiyu_currency_trade", column: "create_time" } as const;

/**
 * The credits between two times, page by page; `cursor` is the trade id to continue from. Concurrent trades may be some
 * seconds out of order, so the scan begins a minute early.
 */
export async function creditsOfTime(
  db: Queryable,
  from: Date,
  to: Date,
  cursor: string | undefined,
): Promise<{ list: PlacedCredit[]; nextCursor: string | null }> {
  const minute = 60_000;
  const begin = cursor ? BigInt(cursor) : await firstIdSince(db, trades, new Date(from.getTime() - minute));
  const end = begin + BigInt(scannedRows);
  const rows = await db.query<CreditRow>(
    `SELECT id, biz_id, num, user_id, balance_after, create_time FROM t_qiyu_currency_trade
     WHERE id >= ? AND id < ? AND type = ? AND status = 1 AND create_time >= ? AND create_time < ? ORDER BY id`,
    [String(begin), String(end), recharge, from, to],
  );
  const all = rows.map(toPlacedCredit);
  const list = fittingPage(all, limits.bus.listBytes);
  // The answer is full: the next page begins with the first credit that was left out.
  if (list.length < all.length) return { list, nextCursor: String(rows[list.length]?.id) };
  const [next] = await db.query<{ create_time: Date }>(
    "SELECT create_time FROM t_qiyu_currency_trade WHERE id >= ? ORDER BY id LIMIT 1",
    [String(end)],
  );
  const more = next !== undefined && next.create_time.getTime() < to.getTime() + minute;
  return { list, nextCursor: more ? String(end) : null };
}
