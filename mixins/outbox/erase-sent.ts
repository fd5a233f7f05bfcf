import type { Queryable } from "../mysql/database.ts";

/**
 * Removes published messages of these keys, whose payloads have texts about a person who is erased. Those that are not
 * published yet stay. A stream that is lost within `limits.outbox.keepSentMs` gets the removed ones not again.
 */
export async function eraseSent(db: Queryable, orderKeys: readonly string[]): Promise<void> {
  if (orderKeys.length === 0) return;
  await db.run("DELETE FROM t_outbox WHERE order_key IN (?) AND sent_time IS NOT NULL", [orderKeys]);
}
