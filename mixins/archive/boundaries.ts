import type { Months } from "./months.ts";
import type { IdRange } from "./segment-state.ts";

/** Where segments begin and end. Pure but for what it is given to ask. */

/** What the plan asks the hot table; ids of rows, `undefined` where there is none. */
export interface HotRows {
  /** The first row of this id or a later one. */
  firstFrom(id: bigint): Promise<{ id: bigint; time: Date } | undefined>;
  /** The last row below this id. */
  lastBelow(id: bigint): Promise<{ id: bigint; time: Date } | undefined>;
  /** The first row of this id or a later one that was written at another time. */
  firstOfOtherTime(id: bigint, time: Date): Promise<bigint | undefined>;
  /** The first id of a time or later; one more than all ids where there is none. */
  firstSince(time: Date): Promise<bigint>;
  /** The first id of the newest INSERT. */
  newest(): Promise<bigint | undefined>;
}

export interface PlannedRange extends IdRange {
  readonly month: string;
}

export interface PlanBounds {
  readonly afterDays: number;
  readonly segmentRows: number;
}

/**
 * The next segment from an id on: the rest of the oldest month, or as much of it as a segment may have. `undefined` where
 * that month is not closed for long enough yet.
 *
 * It ends between two INSERTs, whose rows have another time each. It never holds the newest INSERT: a database that is
 * restored counts ids on from the newest row, and no id may come again.
 */
export async function nextRange(
  rows: HotRows,
  from: bigint,
  months: Months,
  now: Date,
  { afterDays, segmentRows }: PlanBounds,
): Promise<PlannedRange | undefined> {
  const first = await rows.firstFrom(from);
  const newest = await rows.newest();
  if (!first || newest === undefined) return undefined;
  const month = months.of(first.time.getTime());
  if (!months.isClosed(month, afterDays, now.getTime())) return undefined;
  const ends = [await rows.firstSince(new Date(months.endOf(month))), first.id + BigInt(segmentRows), newest];
  const lowest = ends.reduce((a, b) => (a < b ? a : b));
  const to = await betweenInserts(rows, first.id, lowest);
  return to === undefined || to > newest ? undefined : { from, to, month };
}

/** The first id from `to` on that begins an INSERT; `undefined` where there is none, or nothing would be left below it. */
async function betweenInserts(rows: HotRows, first: bigint, to: bigint): Promise<bigint | undefined> {
  const before = await rows.lastBelow(to);
  const at = await rows.firstFrom(to);
  if (!at) return undefined;
  // The first row itself is at or beyond the end: its own INSERT is the segment.
  if (!before || before.id < first) return rows.firstOfOtherTime(first, at.time);
  if (before.time.getTime() !== at.time.getTime()) return at.id;
  return rows.firstOfOtherTime(at.id, at.time);
}
