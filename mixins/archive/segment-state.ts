/**
 * The states of a segment, which are also what has happened to its rows. Pure.
 *
 *   planned   its boundaries are fixed, its partition is made. All rows are in the hot table
 *   filtered  its filter is durable, and what its rows are is counted and sealed. All rows are in the hot table
 *   emptying  rows below moved_to are in the archive table, the others in the hot one
 *   closed    all rows are in the archive table, and are what was counted
 *
 * There is no way back: an archive is read where it is.
 */
export const segmentStates = ["planned", "filtered", "emptying", "closed"] as const;
export type SegmentState = (typeof segmentStates)[number];

const moves: Readonly<Record<SegmentState, readonly SegmentState[]>> = {
  planned: ["filtered"],
  filtered: ["emptying"],
  emptying: ["closed"],
  closed: [],
};

/** Whether a segment may go from a state to another. */
export const maySegmentMove = (from: SegmentState, to: SegmentState): boolean => moves[from].includes(to);

/** Whether a segment has a filter, without which no business id may be looked up in it or written beside it. */
export const isFiltered = (state: SegmentState): boolean => state !== "planned";

/** A range of ids of a table; `to` is excluded. Ids are beyond 2^53 where the database's counter is. */
export interface IdRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** All ids of a table. */
export const allIds: IdRange = Object.freeze({ from: 0n, to: 2n ** 64n - 1n });

/** A segment as it stands: rows of `from <= id < movedTo` are in the archive table, those of `movedTo <= id < to` not. */
export interface Segment extends IdRange {
  readonly table: string;
  readonly segment: number;
  readonly movedTo: bigint;
  readonly month: string;
  readonly state: SegmentState;
}

/** What is counted in the rows of a segment before they are moved, and again afterwards. */
export interface SegmentCount {
  readonly rows: bigint;
  /** Coins of valid rows, with their signs in the ledger. */
  readonly sum: bigint;
  readonly points: bigint;
  /** SHA-256 over the texts of the rows, by id. */
  readonly digest: Buffer;
  readonly firstTime: Date;
  readonly lastTime: Date;
}
