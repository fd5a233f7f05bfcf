import { type Database, isDuplicateKey, type Queryable, toSafeInteger } from "../../../../mixins/mysql/database.ts";
import type { DatedLine } from "./cashier-bill.ts";
import type { Collection, CollectionCall } from "./collection.ts";

interface CollectionRow {
  order_id: string;
  name: string;
  amount: string;
  action: "pay" | "cancel" | null;
  press_time: Date | null;
  notice_id: string | null;
  transaction_id: string | null;
  calls_left: number;
  attempts: number;
}

export async function insertCollection(
  db: Queryable,
  { orderId, name, amount }: Pick<Collection, "orderId" | "name" | "amount">,
): Promise<void> {
  await db.run(
    `INSERT INTO t_cashier_payment (order_id, name, amount, create_time, update_time)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE order_id = order_id`,
    [orderId, name, amount],
  );
}

export async function collectionByOrder(db: Queryable, orderId: string): Promise<Collection | null> {
  const [row] = await db.query<CollectionRow>("SELECT * FROM t_cashier_payment WHERE order_id = ?", [orderId]);
  return row ? { orderId: row.order_id, name: row.name, amount: toSafeInteger(row.amount), action: row.action } : null;
}

/** A payment with its pressed button, if any; `null` where the cashier does not know the order. */
export async function pressedPayment(db: Queryable, orderId: string) {
  const [row] = await db.query<CollectionRow & { given_back: number }>(
    `SELECT p.*, EXISTS (SELECT 1 FROM t_cashier_refund r WHERE r.order_id = p.order_id) AS given_back
     FROM t_cashier_payment p WHERE p.order_id = ?`,
    [orderId],
  );
  if (!row) return null;
  return {
    action: row.action,
    amount: toSafeInteger(row.amount),
    transactionId: row.transaction_id ?? "",
    pressTime: row.press_time ?? new Date(0),
    givenBack: Number(row.given_back) === 1,
  };
}

/** The payments and refunds of a span of time. */
export async function movementsBetween(db: Queryable, from: Date, to: Date): Promise<DatedLine[]> {
  const rows = await db.query<{
    kind: "paid" | "refunded";
    order_id: string;
    transaction_id: string | null;
    amount: string;
    time: Date;
  }>(
    `SELECT 'paid' AS kind, order_id, transaction_id, amount, press_time AS time FROM t_cashier_payment
     WHERE action = 'pay' AND press_time >= ? AND press_time < ?
     UNION ALL
     SELECT 'refunded', order_id, transaction_id, amount, refund_time FROM t_cashier_refund
     WHERE refund_time >= ? AND refund_time < ?`,
    [from, to, from, to],
  );
  return rows.map(({ kind, order_id, transaction_id, amount, time }) => {
    const common = { orderId: order_id, transactionId: transaction_id ?? "" };
    return { ...common, kind, amount: toSafeInteger(amount), time };
  });
}

/** Refunds a payment, once; a repeat changes nothing. An order that is not paid in the book has nothing to refund. */
export async function giveBack(db: Queryable, orderId: string): Promise<void> {
  try {
    await db.run(
      `INSERT INTO t_cashier_refund (order_id, transaction_id, amount, refund_time)
       SELECT order_id, transaction_id, amount, UTC_TIMESTAMP(3) FROM t_cashier_payment
       WHERE order_id = ? AND action = 'pay'`,
      [orderId],
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

/** Cancels a payment without a pressed button; the merchant is not called. */
export async function closeCollection(db: Queryable, orderId: string): Promise<void> {
  await db.run(
    `UPDATE t_cashier_payment SET action = 'cancel', press_time = UTC_TIMESTAMP(3), update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND action IS NULL`,
    [orderId],
  );
}

/**
 * Stores the first press of an order's buttons; a later one changes nothing. `calls` is the number of successful
 * answers that are wanted.
 */
export async function pressOnce(
  db: Queryable,
  orderId: string,
  press: { action: "pay" | "cancel"; noticeId: string; transactionId: string; calls: number },
): Promise<void> {
  await db.run(
    `UPDATE t_cashier_payment SET action = ?, notice_id = ?, transaction_id = ?, calls_left = ?,
       press_time = UTC_TIMESTAMP(3), next_time = UTC_TIMESTAMP(3), update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND action IS NULL`,
    [press.action, press.noticeId, press.transactionId, press.calls, orderId],
  );
}

/** The calls that are due, claimed by this node for `leaseMs`. If the node dies, other nodes claim them after that. */
export async function claimCalls(db: Database, limit: number, leaseMs: number): Promise<CollectionCall[]> {
  return db.transaction(async (tx) => {
    const rows = await tx.query<CollectionRow>(
      `SELECT * FROM t_cashier_payment WHERE next_time <= UTC_TIMESTAMP(3)
       ORDER BY next_time LIMIT ? FOR UPDATE SKIP LOCKED`,
      [limit],
    );
    if (rows.length === 0) return [];
    await tx.run(
      `UPDATE t_cashier_payment SET attempts = attempts + 1, next_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND
       WHERE order_id IN (?)`,
      [leaseMs * 1_000, rows.map((row) => row.order_id)],
    );
    return rows.map((row) => ({
      orderId: row.order_id,
      amount: toSafeInteger(row.amount),
      action: row.action as "pay" | "cancel",
      pressTime: row.press_time as Date,
      noticeId: row.notice_id as string,
      transactionId: row.transaction_id as string,
      attempt: row.attempts + 1,
    }));
  });
}

/** A call was answered with success: the webhook is done, or called again at once if it wants two answers. */
export async function callAnswered(db: Queryable, { orderId, attempt }: CollectionCall): Promise<void> {
  await db.run(
    `UPDATE t_cashier_payment SET next_time = IF(calls_left > 1, UTC_TIMESTAMP(3), NULL),
       calls_left = calls_left - 1, update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND attempts = ? AND calls_left > 0`,
    [orderId, attempt],
  );
}

/** A call was not answered with success: it is made again after `delayMs`; `null`: never. */
export async function callAgain(db: Queryable, call: CollectionCall, delayMs: number | null): Promise<void> {
  await db.run(
    `UPDATE t_cashier_payment SET next_time = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, update_time = UTC_TIMESTAMP(3)
     WHERE order_id = ? AND attempts = ?`,
    [delayMs === null ? null : delayMs * 1_000, call.orderId, call.attempt],
  );
}
