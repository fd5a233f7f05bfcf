import type { Queryable } from "./database.ts";

/**
 * The first id of a time or later, in a table whose ids grow with the time of their rows, by a binary search. An index
 * on the time would cost each inserted row. Concurrent rows may be some seconds out of order, so begin earlier than you
 * need. `where` excludes rows whose id does not fit their time.
 */
export async function firstIdSince(
  db: Queryable,
  { table, column, where = "TRUE" }: { table: string; column: string; where?: string },
  time: Date,
): Promise<bigint> {
  const [last] = await db.query<{ id: string | null }>(`SELECT MAX(id) AS id FROM ${table}`);
  let [low, high] = [0n, BigInt(last?.id ?? 0) + 1n];
  while (low < high) {
    const middle = (low + high) / 2n;
    const [row] = await db.query<{ time: Date }>(
      `SELECT ${column} AS time FROM ${table} WHERE id >= ? AND ${where} ORDER BY id LIMIT 1`,
      [String(middle)],
    );
    if (row && row.time < time) low = middle + 1n;
    else high = middle;
  }
  return low;
}
