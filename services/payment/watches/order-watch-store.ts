import { limits } from "../../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { type OrderState, stateOf } from "../order-state.ts";

/** An order whose provider is to be asked. */
export interface Watch {
  readonly orderId: string;
  readonly state: OrderState;
  readonly payChannel: number;
  /** Fen. */
  readonly amount: number;
  /** The time from which it is closed if it is unpaid. */
  readonly expireTime: Date;
  /** How often its provider was asked. */
  readonly asked: number;
}

/** Watches an order from `nextTime` on, in the transaction that makes it. */
export async function insertWatch(db: Queryable, orderId: string, expireTime: Date, nextTime: Date): Promise<void> {
  await db.run("INSERT INTO t_pay_watch (order_id, expire_time, next_time) VALUES (?, ?, ?)", [
    orderId,
    expireTime,
    nextTime,
  ]);
}

/** Watched orders that are due, longest first, also those that are not open any more. */
export async function dueWatches(db: Queryable, limit: number): Promise<Watch[]> {
  const rows = await db.query<{
    order_id: string;
    status: number;
    pay_channel: number;
    amount: string;
    expire_time: Date;
    asked: number;
  }>(
    `SELECT w.order_id, o.status, o.pay_channel, o.amount, w.expire_time, w.asked
     FROM t_pay_watch w JOIN t_pay_order o ON o.order_id = w.order_id
     WHERE w.next_time <= UTC_TIMESTAMP(3) ORDER BY w.next_time LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({
    orderId: row.order_id,
    state: stateOf(row.status),
    payChannel: row.pay_channel,
    amount: toSafeInteger(row.amount),
    expireTime: row.expire_time,
    asked: row.asked,
  }));
}

export async function removeWatches(db: Queryable, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length > 0) await db.run("DELETE FROM t_pay_watch WHERE order_id IN (?)", [orderIds]);
}

export async function postponeWatch(db: Queryable, orderId: string, nextTime: Date): Promise<void> {
  await db.run("UPDATE t_pay_watch SET asked = asked + 1, next_time = ? WHERE order_id = ?", [nextTime, orderId]);
}

/** The number of watched orders, and for how long the longest overdue one has waited. */
export async function openWatches(db: Queryable): Promise<{ watched: number; lateMs: number }> {
  const [count] = await db.query<{ watched: string }>(
    "SELECT COUNT(*) AS watched FROM (SELECT 1 FROM t_pay_watch LIMIT ?) AS counted",
    [limits.metrics.countedRows],
  );
  const [due] = await db.query<{ late: string | null }>(
    "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(next_time), UTC_TIMESTAMP(3)) AS late FROM t_pay_watch",
  );
  return { watched: Number(count?.watched), lateMs: Math.max(0, Number(due?.late ?? 0) / 1_000) };
}
