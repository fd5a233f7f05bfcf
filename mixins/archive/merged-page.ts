/**
 * A page of rows of which some are archived. Pure. The hot table is read first: a row that is moved in between is in both
 * answers, and none is in neither.
 *
 * `order` is below zero where its first row comes first in the page. Both lists are in that order and have the first rows
 * of their table, at least `limit` where there are as many.
 */
export function mergedPage<Row extends { readonly id: string | bigint | number }>(
  hot: readonly Row[],
  archived: readonly Row[],
  order: (a: Row, b: Row) => number,
  limit: number,
): Row[] {
  if (archived.length === 0) return hot.slice(0, limit);
  const seen = new Set(hot.map(({ id }) => String(id)));
  return [...hot, ...archived.filter(({ id }) => !seen.has(String(id)))].sort(order).slice(0, limit);
}

/** By id, the newest first. */
export function newestFirst<Row extends { readonly id: string | bigint | number }>(a: Row, b: Row): number {
  return byId(b, a);
}

/** By id, the oldest first. */
export function byId<Row extends { readonly id: string | bigint | number }>(a: Row, b: Row): number {
  const [left, right] = [BigInt(a.id), BigInt(b.id)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * A statement about both tables, as of one moment: its SQL once for each, joined, with the values of both. `sql` makes the
 * SELECT for a table.
 */
export function ofBoth(
  tables: { readonly table: string; readonly archive: string },
  sql: (table: string) => string,
  values: readonly unknown[],
): { sql: string; values: unknown[] } {
  return { sql: `(${sql(tables.table)}) UNION ALL (${sql(tables.archive)})`, values: [...values, ...values] };
}
