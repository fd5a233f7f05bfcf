import type { Difference } from "../differences.ts";

/** A part of the comparison: it goes through one table, page by page. */
export interface Check {
  /** For people, e.g. `balances`. */
  readonly name: string;
  /** Whether the rounds that follow what is new run it; full passes run every check with `passes`. */
  readonly rounds: boolean;
  readonly passes: boolean;
  /** Where what is new since a time begins; everything, where there is no time. `undefined`: it cannot begin there. */
  range(since: Date | null): Promise<Range | undefined>;
  page(range: Range): Promise<Page>;
}

/** The place after which it begins: an id, or what the check makes of it. `to` is the last one; unset: the table's end. */
export interface Range {
  readonly from: string;
  readonly to?: string;
  /** The time since which rows count where the table has no order by time. */
  readonly since?: Date;
}

export interface Page {
  /** The rows that were compared. */
  readonly rows: number;
  readonly differences: readonly Difference[];
  /** The place to go on from; `null` at the end. */
  readonly next: string | null;
}
