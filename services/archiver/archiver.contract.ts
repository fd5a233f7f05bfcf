import type { SegmentState } from "../../mixins/archive/segment-state.ts";
import { action } from "../action-contract.ts";

/** The archiver as consoles see it. */

export interface ArchivedTableStatus {
  table: string;
  /** The MySQL server by its name in WALLET_MYSQL_URLS; home, where there is one. */
  server: string;
  /** Segments by their state. */
  segments: Record<SegmentState, number>;
  /** Ids below it are archived. */
  archivedBelow: string;
  /** The segment that is being moved. */
  open: { segment: number; month: string; state: SegmentState; from: string; to: string; movedTo: string } | null;
  /** The oldest month of which rows are in the hot table; `null` where it is empty. */
  oldestMonth: string | null;
  /** For how long that month has been due; 0 where it is not. */
  dueSeconds: number;
  /** What keeps it, or failed last, on the node that answers. */
  trouble: string | null;
}

export const archiverActions = {
  /** How far each table is. Fails: unavailable. */
  status: action({}).returns<{ on: boolean; afterDays: number; zone: string; tables: ArchivedTableStatus[] }>(),
  /**
   * Has the node that answers look at once whether a month is due, where it has the lease or the lease is free; another
   * node looks within a minute. What is due is moved in the background. Fails: notFound (ARCHIVE is not on).
   */
  run: action({}).returns<null>(),
};
