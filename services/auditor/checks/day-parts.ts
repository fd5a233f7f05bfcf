import { AsyncLocalStorage } from "node:async_hooks";
import { limits } from "../../../config/limits.ts";

/**
 * What is old is not compared row by row each day: a part of it is, another part each day, all of it in
 * `limits.books.closedRowsDays` days. A pass compares the parts of all days since the last one, so that none is left out
 * where the auditor stood still. Pure, but for the parts that go with a pass.
 */

const dayMs = 24 * 3_600_000;
const { closedRowsDays: days, closedRowsPart } = limits.books;
const size = BigInt(closedRowsPart);

/** Numbers of parts. */
export type Parts = ReadonlySet<number>;

/** The part of a day. */
export const partOf = (time: number): number => Math.floor(time / dayMs) % days;

/**
 * The parts of the days after that on which the last complete pass began, up to today's; all of them where it began too long
 * ago, or there was none. Today's is compared again by each pass.
 */
export function partsSince(lastBegan: number | undefined, now: number): Parts {
  const today = Math.floor(now / dayMs);
  const first = lastBegan === undefined ? today - days + 1 : Math.floor(lastBegan / dayMs) + 1;
  const count = Math.min(days, Math.max(1, today - first + 1));
  return new Set(Array.from({ length: count }, (_, at) => (today - at) % days));
}

const ofPass = new AsyncLocalStorage<Parts>();

/** Runs the checks of a pass, which compare these parts however long it takes. */
export const withParts = <T>(parts: Parts, work: () => Promise<T>): Promise<T> => ofPass.run(parts, work);

/** The parts that are compared: those of the pass, or today's. */
export const dueParts = (): Parts => ofPass.getStore() ?? new Set([partOf(Date.now())]);

/** Whether the row with this id is of the parts. Parts are ranges of ids, so that a part is read as ranges. */
export const isOfParts = (id: bigint, parts: Parts): boolean => parts.has(Number((id / size) % BigInt(days)));

/** Whether a segment is of the parts that are compared. */
export const isOfDueSegments = (segment: number): boolean => dueParts().has(segment % days);

/** The largest BIGINT UNSIGNED. */
export const lastId = 2n ** 64n - 1n;

/** Ids above `from` up to `to`. */
export interface IdSpan {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The next ids to compare of those in `span`, of which those up to `archivedTo` are compared by parts: a span that is
 * of one of the parts, or is after `archivedTo`. `null`: nothing is left.
 */
export function nextSpan({ from, to }: IdSpan, archivedTo: bigint, parts: Parts): IdSpan | null {
  let first = from + 1n;
  while (first <= archivedTo && first <= to && !isOfParts(first, parts)) {
    const next = (first / size + 1n) * size;
    // Whole turns at once: archives may reach over very many parts.
    const at = Number((next / size) % BigInt(days));
    const ahead = BigInt(Math.min(...[...parts].map((part) => (part - at + days) % days)));
    first = next + ahead * size;
    if (first > archivedTo) first = archivedTo + 1n;
  }
  if (first > to) return null;
  if (first > archivedTo) return { from: first - 1n, to };
  const end = (first / size + 1n) * size - 1n;
  return { from: first - 1n, to: [end, archivedTo, to].reduce((least, one) => (one < least ? one : least)) };
}

/**
 * A condition of SQL, and its values: rows of alias `of` that changed since `until`, and of the others those of
 * the parts that are compared. `until`: when the last archived row was written; unset: all rows.
 */
export function changedSinceOrDue(
  of: string,
  until: Date | undefined,
  changed: string,
): { sql: string; values: readonly unknown[] } {
  if (until === undefined) return { sql: "TRUE", values: [] };
  return { sql: `(${of}.${changed} >= ? OR ${of}.id MOD ${days} IN (?))`, values: [until, [...dueParts()]] };
}
