import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { topicPattern } from "./messages.ts";
import { type Mark, markedPayment, type Parked, parkedReasons } from "./order.ts";
import { orderStatus } from "./order-state.ts";

/** Marks an order. The same transaction writes the cause of the mark, or holds the lock of the order. */
export async function parkOrder(tx: Transaction, orderId: string, why: Mark, transactionId: string): Promise<void> {
  await tx.run(
    `INSERT INTO t_pay_parked (order_id, reason, transaction_id, create_time) VALUES (?, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE order_id = order_id`,
    [orderId, why, markedPayment(why, transactionId)],
  );
}

/**
 * Removes marks of an order; of marks about a payment only this payment's and those without one. Returns whether there
 * was one.
 */
export async function unparkOrder(
  tx: Transaction,
  orderId: string,
  marks: readonly Mark[],
  transactionId = "",
): Promise<boolean> {
  const { affectedRows } = await tx.run(
    "DELETE FROM t_pay_parked WHERE order_id = ? AND reason IN (?) AND transaction_id IN ('', ?)",
    [orderId, marks, transactionId],
  );
  return affectedRows > 0;
}

/** Whether an order has one of these marks, about any payment or about this one. */
export async function isParked(
  tx: Transaction,
  orderId: string,
  marks: readonly Mark[],
  transactionId?: string,
): Promise<boolean> {
  const [row] = await tx.query(
    `SELECT 1 FROM t_pay_parked WHERE order_id = ? AND reason IN (?) AND (? OR transaction_id IN ('', ?)) LIMIT 1`,
    [orderId, marks, transactionId === undefined, transactionId ?? ""],
  );
  return row !== undefined;
}

/** The reasons why a person must examine an order, oldest first. */
export async function parkedOf(db: Queryable, orderId: string): Promise<Parked[]> {
  const rows = await db.query<{ reason: Parked }>(
    `SELECT reason FROM t_pay_parked WHERE order_id = ? AND reason IN (?)
     GROUP BY reason ORDER BY MIN(create_time), reason`,
    [orderId, parkedReasons],
  );
  return rows.map(({ reason }) => reason);
}

/** A stored mark of an order. */
interface StoredMark {
  readonly orderId: string;
  readonly reason: Parked;
  /** `""` where the mark concerns the order, or the payment is unknown. */
  readonly transactionId: string;
  readonly since: Date;
}

/** The orders that a person must examine, oldest first, from the one after `after` on. */
export async function parkedOrderIds(
  db: Queryable,
  { mark, after, limit }: { mark?: Parked; after: string; limit: number },
): Promise<string[]> {
  const rows = await db.query<{ order_id: string }>(
    `SELECT DISTINCT order_id FROM t_pay_parked WHERE order_id > ? AND reason IN (?) ORDER BY order_id LIMIT ?`,
    [after, mark ? [mark] : parkedReasons, limit],
  );
  return rows.map(({ order_id }) => order_id);
}

/** The marks of these orders that need a person, oldest first. */
export async function marksOf(db: Queryable, orderIds: readonly string[]): Promise<StoredMark[]> {
  if (orderIds.length === 0) return [];
  const rows = await db.query<{ order_id: string; reason: Parked; transaction_id: string; create_time: Date }>(
    `SELECT order_id, reason, transaction_id, create_time FROM t_pay_parked
     WHERE order_id IN (?) AND reason IN (?) ORDER BY create_time, reason, transaction_id`,
    [orderIds, parkedReasons],
  );
  return rows.map((row) => ({
    orderId: row.order_id,
    reason: row.reason,
    transactionId: row.transaction_id,
    since: row.create_time,
  }));
}

/** Whether an order has exactly this mark; `payment` as in its row. */
export async function hasMark(tx: Transaction, orderId: string, mark: Mark, payment: string): Promise<boolean> {
  const rows = await tx.query("SELECT 1 FROM t_pay_parked WHERE order_id = ? AND reason = ? AND transaction_id = ?", [
    ...[orderId, mark, payment],
  ]);
  return rows.length > 0;
}

/** Removes exactly this mark. */
export async function removeMarkRow(tx: Transaction, orderId: string, mark: Mark, payment: string): Promise<void> {
  await tx.run("DELETE FROM t_pay_parked WHERE order_id = ? AND reason = ? AND transaction_id = ?", [
    ...[orderId, mark, payment],
  ]);
}

/** The number of parked orders by reason, counted up to `limits.metrics.countedRows`. */
export async function parkedOrders(db: Queryable): Promise<Map<Parked, number>> {
  const rows = await db.query<{ why: Parked; orders: string }>(
    `SELECT reason AS why, COUNT(DISTINCT order_id) AS orders
     FROM (SELECT reason, order_id FROM t_pay_parked WHERE reason IN (?) LIMIT ?) AS counted GROUP BY reason`,
    [parkedReasons, limits.metrics.countedRows],
  );
  return new Map(rows.map(({ why, orders }) => [why, Number(orders)]));
}

/** How many orders are parked, whatever the number of their marks; marks count up to `limits.metrics.countedRows`. */
export async function countParkedOrders(db: Queryable): Promise<number> {
  const [row] = await db.query<{ orders: string }>(
    `SELECT COUNT(DISTINCT order_id) AS orders
     FROM (SELECT order_id FROM t_pay_parked WHERE reason IN (?) LIMIT ?) AS counted`,
    [parkedReasons, limits.metrics.countedRows],
  );
  return Number(row?.orders ?? 0);
}

/** Paid orders that had no topic when they were to be credited, and have one now. */
export async function ordersWithTopic(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.query<{ order_id: string }>(
    `SELECT o.order_id FROM t_pay_parked p JOIN t_pay_order o ON o.order_id = p.order_id
       JOIN t_pay_topic t ON t.biz_code = o.biz_code AND t.status = 1
     WHERE p.reason = 'topicMissing' AND o.status = ? AND t.topic REGEXP ?
     ORDER BY o.id LIMIT ?`,
    [orderStatus.paid, topicPattern, limit],
  );
  return rows.map(({ order_id }) => order_id);
}
