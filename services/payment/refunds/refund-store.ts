import { limits } from "../../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Order } from "../order.ts";
import { type RefundOrigin, type RefundState, refundStatesBefore } from "./refund-state.ts";

/** A refund about which the provider is to be asked. */
export interface DueRefund {
  readonly orderId: string;
  readonly payChannel: number;
  readonly transactionId: string;
  /** Fen. */
  readonly amount: number;
  readonly reason: string;
  /** How often the provider was asked. */
  readonly attempts: number;
}

/**
 * Writes the refund of an order, in the transaction that refunds it: due at once, or done where the provider began it.
 */
export async function insertRefund(
  tx: Transaction,
  { orderId, payChannel, transactionId, amount }: Order,
  origin: RefundOrigin,
  reason: string,
): Promise<void> {
  const begins: RefundState = origin === "operator" ? "requested" : "done";
  const isRequested = begins === "requested";
  await tx.run(
    `INSERT INTO t_pay_refund (order_id, pay_channel, transaction_id, amount, reason, origin, state, next_time,
       accepted_time, create_time, update_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, IF(?, UTC_TIMESTAMP(3), NULL), IF(?, NULL, UTC_TIMESTAMP(3)), UTC_TIMESTAMP(3),
       UTC_TIMESTAMP(3))`,
    [orderId, payChannel, transactionId ?? "", amount, reason, origin, begins, isRequested, isRequested],
  );
}

/**
 * Moves a refund to a state, if its present state allows it; returns whether it moved. `nextTime` null: the provider is
 * not asked again. A refund that the provider processes, or has carried out, is accepted: its bills have it from then
 * on.
 */
export async function moveRefund(
  db: Queryable,
  orderId: string,
  to: RefundState,
  nextTime: Date | null = null,
): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_pay_refund SET state = ?, next_time = ?, attempts = attempts + 1, update_time = UTC_TIMESTAMP(3),
       accepted_time = IF(?, COALESCE(accepted_time, UTC_TIMESTAMP(3)), accepted_time)
     WHERE order_id = ? AND state IN (?)`,
    [to, nextTime, to === "processing" || to === "done", orderId, refundStatesBefore(to)],
  );
  return affectedRows === 1;
}

/** The provider did not accept the request: it is due again at `nextTime`. */
export async function postponeRefund(db: Queryable, orderId: string, nextTime: Date, problem: string): Promise<void> {
  await db.run(
    `UPDATE t_pay_refund SET attempts = attempts + 1, problem = ?, next_time = ?, update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND next_time IS NOT NULL`,
    [problem.slice(0, 200), nextTime, orderId],
  );
}

/** The number of refunds about which the provider is still asked. */
export async function openRefunds(db: Queryable): Promise<number> {
  const [row] = await db.query<{ open: string }>(
    "SELECT COUNT(*) AS open FROM (SELECT 1 FROM t_pay_refund WHERE next_time IS NOT NULL LIMIT ?) AS counted",
    [limits.metrics.countedRows],
  );
  return Number(row?.open);
}

/** The refunds that are due now, longest due first. */
export async function dueRefunds(db: Queryable, limit: number): Promise<DueRefund[]> {
  const rows = await db.query<{
    order_id: string;
    pay_channel: number;
    transaction_id: string;
    amount: string;
    reason: string;
    attempts: number;
  }>(
    `SELECT order_id, pay_channel, transaction_id, amount, reason, attempts FROM t_pay_refund
     WHERE next_time <= UTC_TIMESTAMP(3) ORDER BY next_time LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({
    orderId: row.order_id,
    payChannel: row.pay_channel,
    transactionId: row.transaction_id,
    amount: toSafeInteger(row.amount),
    reason: row.reason,
    attempts: row.attempts,
  }));
}

/** Removes what people typed about the refunds of these orders. */
export async function eraseRefundReasons(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.run("UPDATE t_pay_refund SET reason = '' WHERE order_id IN (?)", [orderIds]);
}
