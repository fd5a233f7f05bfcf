import { createHash } from "node:crypto";
import { limits } from "../../config/limits.ts";
import type { Queryable } from "../mysql/database.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { rowSeparator, rowTextSql } from "./row-text.ts";
import type { IdRange, SegmentCount } from "./segment-state.ts";

interface CountedRow {
  id: string;
  business_id: string;
  row_sum: string;
  row_points: string;
  row_time: Date;
  row_text: string;
}

interface Counting {
  /** Gets the business id of every row, and the row's own id. */
  readonly each?: (businessId: string, id: bigint) => void;
  /** Ends it between two pages, by throwing. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Counts the rows of a range of ids, in the hot table or in the archive table, page by page; rows of a closed month do not
 * change meanwhile. `undefined` where there is no row.
 */
export async function countSegment(
  db: Queryable,
  archived: ArchivedTable,
  place: "table" | "archive",
  { from, to }: IdRange,
  { each = () => {}, signal }: Counting = {},
): Promise<SegmentCount | undefined> {
  const { key, time, sum, points } = archived;
  const digest = createHash("sha256");
  let [rows, total, totalPoints] = [0n, 0n, 0n];
  let [firstTime, lastTime]: [Date | undefined, Date | undefined] = [undefined, undefined];
  for (let at = from; ; ) {
    signal?.throwIfAborted();
    const page = await db.query<CountedRow>(
      `SELECT id, ${key} AS business_id, ${sum} AS row_sum, ${points} AS row_points, ${time} AS row_time,
         ${rowTextSql(archived)} AS row_text
       FROM ${archived[place]} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
      [String(at), String(to), limits.archive.pageRows],
    );
    for (const row of page) {
      digest.update(row.row_text + rowSeparator);
      total += BigInt(row.row_sum);
      totalPoints += BigInt(row.row_points);
      if (firstTime === undefined || row.row_time < firstTime) firstTime = row.row_time;
      if (lastTime === undefined || row.row_time > lastTime) lastTime = row.row_time;
      each(row.business_id, BigInt(row.id));
    }
    rows += BigInt(page.length);
    if (page.length < limits.archive.pageRows) break;
    at = BigInt((page.at(-1) as CountedRow).id) + 1n;
  }
  if (firstTime === undefined || lastTime === undefined) return undefined;
  return { rows, sum: total, points: totalPoints, digest: digest.digest(), firstTime, lastTime };
}

/** What differs between what was counted before rows were moved and afterwards; empty where nothing does. */
export function differencesOf(before: SegmentCount, after: SegmentCount | undefined): string[] {
  if (!after) return ["there are no rows"];
  const numbers = (["rows", "sum", "points"] as const).flatMap((name) =>
    before[name] === after[name] ? [] : [`${name}: ${after[name]}, not ${before[name]}`],
  );
  return before.digest.equals(after.digest) ? numbers : [...numbers, "the rows are others"];
}
