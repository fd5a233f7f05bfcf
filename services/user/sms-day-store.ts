import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";

/** The SQL of the numbers of login codes by day. */

/** Stands for all phones. */
const all = "";

/** Today in Beijing by the database's clock, YYYY-MM-DD. */
export async function beijingDay(db: Queryable): Promise<string> {
  const [row] = await db.query<{ day: string }>(
    "SELECT DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 8 HOUR, '%Y-%m-%d') AS day",
  );
  return row?.day ?? "";
}

/**
 * Counts a code for a phone, or for all phones (`null`), unless there are `most` already; then it is `undefined`.
 * Returns the number of codes with this one. The row stays locked until the transaction ends.
 */
export async function countCode(
  tx: Transaction,
  day: string,
  phone: string | null,
  most: number,
): Promise<number | undefined> {
  const key = [day, phone ?? all];
  await tx.run("INSERT INTO t_sms_day (day, phone, sent) VALUES (?, ?, 0) ON DUPLICATE KEY UPDATE sent = sent", key);
  const { affectedRows } = await tx.run(
    "UPDATE t_sms_day SET sent = sent + 1 WHERE day = ? AND phone = ? AND sent < ?",
    [...key, most],
  );
  if (affectedRows === 0) return undefined;
  const [row] = await tx.query<{ sent: number }>("SELECT sent FROM t_sms_day WHERE day = ? AND phone = ?", key);
  return Number(row?.sent);
}

/** Takes a code that was not sent off the counts again. */
export async function uncountCode(db: Queryable, day: string, phone: string): Promise<void> {
  await db.run("UPDATE t_sms_day SET sent = sent - 1 WHERE day = ? AND phone IN (?, ?) AND sent > 0", [
    day,
    phone,
    all,
  ]);
}

/** Deletes the counts of days that are over, so many rows at the most. Returns whether there may be more. */
export async function purgeDays(db: Queryable, daysKept: number, rows: number): Promise<boolean> {
  const { affectedRows } = await db.run(
    "DELETE FROM t_sms_day WHERE day < DATE(UTC_TIMESTAMP() + INTERVAL 8 HOUR) - INTERVAL ? DAY LIMIT ?",
    [daysKept, rows],
  );
  return affectedRows === rows;
}

/** Removes the counts of a phone: of each day that may have one, since the key begins with it. */
export async function deleteDaysOf(tx: Queryable, phone: string): Promise<void> {
  const days = Array.from({ length: limits.user.smsDaysKept + 4 }, (_, at) => `CURRENT_DATE - INTERVAL ${at - 2} DAY`);
  await tx.run(`DELETE FROM t_sms_day WHERE day IN (${days.join(", ")}) AND phone = ?`, [phone]);
}
