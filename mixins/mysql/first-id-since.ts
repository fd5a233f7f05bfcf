import type { Queryable } from "./database.ts";

/**
 * The first id of a time or later, in a table whose ids grow with the time of their rows: it halves its way there. An
 * index on the time would cost each inserted row. Rows that are written side by side may stand some seconds out of their
 * order, so begin earlier than you need.
 */
export async function firstIdSince(
  db: Queryable,
  { table, column }: { table: string; column: string },
  time: Date,
): Promise<bigint> {
  const [ends] = await db.query<{ first: string | null; last: string | null }>(
    `SELECT MIN(id) AS first, MAX(id) AS last FROM ${table}`,
  );
  // The ids of a table may begin anywhere (services/wallet-servers.ts).
  let [low, high] = [BigInt(ends?.first ?? 0), BigInt(ends?.last ?? 0) + 1n];
  while (low < high) {
    const middle = (low + high) / 2n;
    const [row] = await db.query<{ time: Date }>(
      `SELECT ${column} AS time FROM ${table} WHERE id >= ? ORDER BY id LIMIT 1`,
      [String(middle)],
    );
    if (row && row.time < time) low = middle + 1n;
    else high = middle;
  }
  return low;
}
