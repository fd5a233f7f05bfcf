import { percentile, sortedNumbers } from "../../bench/support/percentiles.ts";
import type { SentGift } from "../load/jobs.ts";
import type { RecordRow } from "./row-books.ts";

/** A gift that takes longer from its first request to its record was held up, ms. */
export const promptMs = 2_000;

export interface Stall {
  /** The longest time in which gifts were sent that were held up, until the last of them was settled, s. */
  readonly seconds: number;
  /** Gifts that were held up. */
  readonly gifts: number;
  /** From the first request to the record, of the gifts of the row, s. */
  readonly p99: number;
}

/**
 * How long gifts were not settled as usual. The times of gifts that were held up are put together where they overlap:
 * each begins with the first request, which may be refused for long, and ends with the record.
 */
export function stallOf(gifts: readonly SentGift[], records: readonly RecordRow[]): Stall {
  const settledAt = new Map(records.map((record) => [record.orderId, record.settledAt]));
  const times = gifts.flatMap(({ orderId, sentAt }) => {
    const until = settledAt.get(orderId);
    return until === undefined ? [] : [{ from: sentAt, until }];
  });
  const slow = times.filter(({ from, until }) => until - from > promptMs).sort((one, other) => one.from - other.from);
  let longestMs = 0;
  let current: { from: number; until: number } | undefined;
  for (const one of slow) {
    if (current && one.from <= current.until) current.until = Math.max(current.until, one.until);
    else current = { ...one };
    longestMs = Math.max(longestMs, current.until - current.from);
  }
  const delays = sortedNumbers(times.map(({ from, until }) => until - from));
  const at = (share: number) => percentile(delays, share) / 1_000;
  return { seconds: longestMs / 1_000, gifts: slow.length, p99: at(0.99) };
}
