import { limits } from "../../../config/limits.ts";
import type { Queryable, Transaction } from "../../../mixins/mysql/database.ts";
import type { Effect } from "../messages.ts";

/** A message to the wallet whose effect is not confirmed. */
export interface MessageWatch {
  readonly orderId: string;
  readonly effect: Effect;
  readonly subject: string;
  /** The signed message. */
  readonly text: string;
  /** It is not published again before this time. */
  readonly againTime: Date;
  /** How often the effect was missing from the wallet's books, since the message was last known to be in the outbox. */
  readonly asked: number;
  /** How often it was published again. */
  readonly again: number;
}

interface Row {
  order_id: string;
  effect: Effect;
  subject: string;
  message: string;
  again_time: Date;
  asked: number;
  again: number;
}

/** Watches a message, in the transaction that writes it. */
export async function insertMessageWatch(
  tx: Transaction,
  message: Pick<MessageWatch, "orderId" | "effect" | "subject" | "text" | "againTime">,
  nextTime: Date,
): Promise<void> {
  const { orderId, effect, subject, text, againTime } = message;
  await tx.run(
    `INSERT INTO t_pay_message_watch (order_id, effect, subject, message, next_time, again_time)
     VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE order_id = order_id`,
    [orderId, effect, subject, text, nextTime, againTime],
  );
}

/** The messages about which the wallet is to be asked now, longest due first. */
export async function dueMessages(db: Queryable, limit: number): Promise<MessageWatch[]> {
  const rows = await db.query<Row>(
    `SELECT order_id, effect, subject, message, again_time, asked, again FROM t_pay_message_watch
     WHERE next_time <= UTC_TIMESTAMP(3) ORDER BY next_time LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({
    orderId: row.order_id,
    effect: row.effect,
    subject: row.subject,
    text: row.message,
    againTime: row.again_time,
    asked: row.asked,
    again: row.again,
  }));
}

export async function removeMessageWatches(db: Queryable, effect: Effect, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  await db.run("DELETE FROM t_pay_message_watch WHERE effect = ? AND order_id IN (?)", [effect, orderIds]);
}

/** The effect is missing from the wallet's books: due again at `nextTime`. */
export async function postponeMessages(
  db: Queryable,
  effect: Effect,
  orderIds: readonly string[],
  nextTime: Date,
): Promise<void> {
  await db.run("UPDATE t_pay_message_watch SET asked = asked + 1, next_time = ? WHERE effect = ? AND order_id IN (?)", [
    nextTime,
    effect,
    orderIds,
  ]);
}

/** The message has not left the outbox: earlier checks do not count, and its time starts again. */
export async function noteUnsent(
  db: Queryable,
  effect: Effect,
  orderIds: readonly string[],
  nextTime: Date,
  againTime: Date,
): Promise<void> {
  await db.run(
    `UPDATE t_pay_message_watch SET asked = 0, next_time = ?, again_time = ?
     WHERE effect = ? AND order_id IN (?)`,
    [nextTime, againTime, effect, orderIds],
  );
}

/**
 * Makes all watched messages due now, to be published again if the books do not have their effect; returns how many.
 */
export async function hurryMessages(db: Queryable, nextTime: Date, now: Date): Promise<number> {
  const { affectedRows } = await db.run(
    "UPDATE t_pay_message_watch SET next_time = ?, again_time = ?, asked = GREATEST(asked, ?)",
    [nextTime, now, limits.payment.messageLooksBeforeAgain],
  );
  return affectedRows;
}

/** Records that a message is published again; of two nodes at once one gets `true`. */
export async function noteAgain(
  tx: Transaction,
  { orderId, effect, again }: MessageWatch,
  nextTime: Date,
  againTime: Date,
): Promise<boolean> {
  const { affectedRows } = await tx.run(
    `UPDATE t_pay_message_watch SET again = again + 1, asked = 0, next_time = ?, again_time = ?
     WHERE order_id = ? AND effect = ? AND again = ?`,
    [nextTime, againTime, orderId, effect, again],
  );
  return affectedRows === 1;
}

/** Stores the message with its new signature: the key of the former one may be removed. */
export async function storeMessage(tx: Transaction, { orderId, effect }: MessageWatch, text: string): Promise<void> {
  await tx.run("UPDATE t_pay_message_watch SET message = ? WHERE order_id = ? AND effect = ?", [text, orderId, effect]);
}

/** The number of watched messages, and for how long the longest overdue one has waited. */
export async function watchedMessages(db: Queryable): Promise<{ watched: number; lateMs: number }> {
  const [count] = await db.query<{ watched: string }>(
    "SELECT COUNT(*) AS watched FROM (SELECT 1 FROM t_pay_message_watch LIMIT ?) AS counted",
    [limits.metrics.countedRows],
  );
  const [due] = await db.query<{ late: string | null }>(
    "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(next_time), UTC_TIMESTAMP(3)) AS late FROM t_pay_message_watch",
  );
  return { watched: Number(count?.watched), lateMs: Math.max(0, Number(due?.late ?? 0) / 1_000) };
}
