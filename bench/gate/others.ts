import type { FloodReport } from "../load/jobs.ts";
import { percentile, rounded } from "../support/percentiles.ts";

/** What gifts that were in no call without an answer waited for. */
export interface Others {
  /** Gifts in calls that the gate did not answer. */
  hung: number;
  /** The others. */
  gifts: number;
  p99Ms: number;
  /** Of the others: those that took longer than `slowMs`. */
  heldUp: number;
}

/** Of a load whose report has its slow gifts: those apart that were in calls that the gate did not answer. */
export function othersOf({ slow = [], timesMs = new Float64Array() }: FloodReport, hung: readonly string[]): Others {
  const inHung = new Set(hung);
  const apart = slow.filter(({ orderId }) => orderId === undefined || !inHung.has(orderId));
  // The gifts of unanswered calls are the slow ones: without as many of the slowest the others are left.
  const left = timesMs.length - (slow.length - apart.length);
  return {
    ...{ hung: slow.length - apart.length, gifts: left, heldUp: apart.length },
    p99Ms: rounded(percentile(timesMs.subarray(0, left), 0.99), 1),
  };
}
