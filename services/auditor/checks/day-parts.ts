import { limits } from "../../../config/limits.ts";

/**
 * What is old is not compared row by row each day: a part of it is, another part each day, all of it in
 * `limits.books.closedRowsDays` days. Pure.
 */

const dayMs = 24 * 3_600_000;
const { closedRowsDays: days, closedRowsPart } = limits.books;
const size = BigInt(closedRowsPart);

/** The number of today's part. */
export const partOfToday = (now: number = Date.now()): number => Math.floor(now / dayMs) % days;

/** Whether the row with this id is of the part. Parts are ranges of ids, so that a part is read as ranges. */
export const isOfPart = (id: bigint, part: number): boolean => Number((id / size) % BigInt(days)) === part;

/** Whether a segment is of today's part. */
export const isOfTodaysSegments = (segment: number): boolean => segment % days === partOfToday();

/** Ids above `from` up to `to`. */
export interface IdSpan {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The next ids to compare of those in `span`, of which those up to `archivedTo` are compared by parts: a span that is
 * of the part, or is after `archivedTo`. `null`: nothing is left.
 */
export function nextSpan({ from, to }: IdSpan, archivedTo: bigint, part: number): IdSpan | null {
  let first = from + 1n;
  while (first <= archivedTo && first <= to && !isOfPart(first, part)) {
    const next = (first / size + 1n) * size;
    // Whole turns at once: archives may reach over very many parts.
    const ahead = BigInt((((part - Number((next / size) % BigInt(days))) % days) + days) % days);
    first = next + ahead * size;
    if (first > archivedTo) first = archivedTo + 1n;
  }
  if (first > to) return null;
  if (first > archivedTo) return { from: first - 1n, to };
  const end = (first / size + 1n) * size - 1n;
  return { from: first - 1n, to: [end, archivedTo, to].reduce((least, one) => (one < least ? one : least)) };
}

/**
 * A condition of SQL, and its values: rows of alias `of` that changed since `until`, and of the others those of today's
 * part. `until`: when the last archived row was written; unset: all rows.
 */
export function ofTodayOr(
  of: string,
  until: Date | undefined,
  changed = "update_time",
): { sql: string; values: readonly unknown[] } {
  if (until === undefined) return { sql: "TRUE", values: [] };
  return { sql: `(${of}.${changed} >= ? OR ${of}.id MOD ${days} = ?)`, values: [until, partOfToday()] };
}
