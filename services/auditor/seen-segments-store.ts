import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";

/** SQL of what the auditor has seen of archives, in its own database. */

export interface SeenSegment {
  readonly segment: number;
  readonly seal: Buffer;
  /** Whether its shares are in t_book_segment_share. */
  readonly summed: boolean;
}

/** The segments of a table that the auditor has seen, by number. */
export async function seenSegments(own: Queryable, table: string): Promise<Map<number, SeenSegment>> {
  const rows = await own.query<{ segment: number; seal: Buffer; summed: number }>(
    "SELECT segment, seal, summed FROM t_book_segment WHERE table_name = ? ORDER BY segment",
    [table],
  );
  return new Map(
    rows.map(({ segment, seal, summed }) => [
      Number(segment),
      { segment: Number(segment), seal, summed: Number(summed) === 1 },
    ]),
  );
}

/** Keeps the seal of a segment. Of a number the first one stays. */
export async function keepSegment(own: Queryable, table: string, segment: number, seal: Buffer): Promise<void> {
  await own.run(
    "INSERT INTO t_book_segment (table_name, segment, seal) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE segment = segment",
    [table, segment, seal],
  );
}

/**
 * Keeps the shares of a segment, in points by anchor, in place of those that are there. A run that ends in between
 * leaves it as not summed.
 */
export async function keepShares(
  own: Queryable,
  table: string,
  segment: number,
  shares: ReadonlyMap<string, bigint>,
): Promise<void> {
  const mark = (summed: number) =>
    own.run("UPDATE t_book_segment SET summed = ? WHERE table_name = ? AND segment = ?", [summed, table, segment]);
  await mark(0);
  const { pageRows } = limits.books;
  for (;;) {
    const { affectedRows } = await own.run(
      "DELETE FROM t_book_segment_share WHERE table_name = ? AND segment = ? LIMIT ?",
      [...[table, segment, pageRows]],
    );
    if (affectedRows < pageRows) break;
  }
  const all = [...shares];
  for (let at = 0; at < all.length; at += pageRows) {
    const some = all.slice(at, at + pageRows);
    await own.run(
      `INSERT INTO t_book_segment_share (table_name, segment, anchor_id, points) VALUES ${some.map(() => "(?,?,?,?)").join(",")}`,
      some.flatMap(([anchor, points]) => [table, segment, anchor, String(points)]),
    );
  }
  await mark(1);
}

/** Adds the kept shares of these segments to the sums of the anchors whose id is `part` of `parts`. */
export async function addKeptShares(
  own: Queryable,
  table: string,
  segments: readonly number[],
  sums: Map<string, bigint>,
  { part, parts }: { readonly part: number; readonly parts: number },
): Promise<void> {
  const { pageRows } = limits.books;
  for (const segment of segments)
    for (let from = "0"; ; ) {
      const rows = await own.query<{ anchor_id: string; points: string }>(
        `SELECT anchor_id, points FROM t_book_segment_share
         WHERE table_name = ? AND segment = ? AND anchor_id > ? AND anchor_id MOD ? = ? ORDER BY anchor_id LIMIT ?`,
        [table, segment, from, parts, part, pageRows],
      );
      for (const { anchor_id, points } of rows)
        sums.set(String(anchor_id), (sums.get(String(anchor_id)) ?? 0n) + BigInt(points));
      if (rows.length < pageRows) break;
      from = String(rows.at(-1)?.anchor_id);
    }
}
