import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";

const { feedWriteMs, feedWrites } = limits.user;

/**
 * Runs a transaction that writes rows of a feed, and returns them. Nodes read new rows by the time at which they were
 * written (services/row-feed.ts), and each read goes `limits.user.feedOverlapMs` back. So rows that may have been
 * committed too late for this are written again, with a new time, `limits.user.feedWrites` times in all. When it returns
 * the rows are durable, and nodes will read them. Fails: unavailable; the caller may repeat it where `work` is
 * repeatable. @param again writes a row with a new time
 */
export async function writingForFeed<Row>(
  mysql: Database,
  work: (tx: Transaction) => Promise<Row[]>,
  again: (tx: Transaction, row: Row) => Promise<void>,
): Promise<Row[]> {
  let startedAt = 0;
  // The time starts with the first statement: while it waits for a connection no row is written.
  const timed = <T>(write: (tx: Transaction) => Promise<T>) =>
    mysql.transaction((tx) => {
      startedAt = performance.now();
      return write(tx);
    });
  const rows = await timed(work);
  for (let written = 1; rows.length > 0; written++) {
    if (performance.now() - startedAt < feedWriteMs) return rows;
    if (written >= feedWrites) throw fail("unavailable", { what: "rows of a feed", written });
    await timed(async (tx) => {
      for (const row of rows) await again(tx, row);
    });
  }
  return rows;
}
