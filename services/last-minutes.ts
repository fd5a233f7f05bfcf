import { limits } from "../config/limits.ts";

/** Figures by minute, for people to look at. Pure. */

const minuteMs = 60_000;

/** The minute of a time, ISO. */
export const minuteOf = (ms: number): string => new Date(Math.floor(ms / minuteMs) * minuteMs).toISOString();

/** The first of the minutes that figures have; the last one is that of `nowMs`, and not over. */
export function firstMinute(nowMs: number): Date {
  return new Date(Date.parse(minuteOf(nowMs)) - (limits.metrics.minutesShown - 1) * minuteMs);
}

/** Every minute from the first one on, oldest first; one that has no row is `none`. Rows are by the minute's ISO text. */
export function everyMinute<Row extends object>(
  nowMs: number,
  rows: ReadonlyMap<string, Row>,
  none: Row,
): (Row & { minute: string })[] {
  const first = firstMinute(nowMs).getTime();
  return Array.from({ length: limits.metrics.minutesShown }, (_, n) => {
    const minute = new Date(first + n * minuteMs).toISOString();
    return { ...none, ...rows.get(minute), minute };
  });
}
