import { limits } from "../../config/limits.ts";

/** Days, weeks and months of a time zone. Pure. */

export const spans = ["day", "week", "month", "all"] as const;
export type Span = (typeof spans)[number];

/** The periods that hold a time, by span, each a number that grows with time: see `Calendar`. */
export type Periods = Readonly<Record<Span, number>>;

const dayMs = 24 * 3_600_000;
/** The offsets of time zones change at multiples of a quarter of an hour. */
const quarterMs = 15 * 60_000;
const quartersKept = 10_000;

/**
 * The calendar of a time zone. A day is 20261126, a week its Monday, a month 202611, all time 0. A day begins at the
 * zone's midnight, whether it has 23, 24 or 25 hours.
 */
export class Calendar {
  readonly zone: string;
  private readonly format: Intl.DateTimeFormat;
  /** By quarter of an hour: to ask the time zone costs more than to count a gift. */
  private readonly known = new Map<number, Periods>();

  /** @throws RangeError where there is no such time zone */
  constructor(zone: string) {
    this.zone = zone;
    const numeric = { year: "numeric", month: "numeric", day: "numeric" } as const;
    this.format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", { timeZone: zone, ...numeric });
  }

  /** @param timeMs since 1970 */
  periodsOf(timeMs: number): Periods {
    const quarter = Math.floor(timeMs / quarterMs);
    const known = this.known.get(quarter);
    if (known) return known;
    if (this.known.size >= quartersKept) this.known.clear();
    const periods = this.read(quarter * quarterMs);
    this.known.set(quarter, periods);
    return periods;
  }

  /** Whether boards of a period are kept at a time; those of a period that ended long ago are not (limits.rank). */
  isKept(span: Span, period: number, nowMs: number): boolean {
    return period >= this.oldestKept(span, nowMs);
  }

  /** The oldest period of a span whose boards are kept. */
  oldestKept(span: Span, nowMs: number): number {
    const { daysKeptMs, weeksKeptMs, monthsKeptMs } = limits.rank;
    const keptMs = { day: daysKeptMs, week: weeksKeptMs, month: monthsKeptMs, all: 0 }[span];
    return this.periodsOf(nowMs - keptMs)[span];
  }

  private read(timeMs: number): Periods {
    const parts = new Map(this.format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]));
    const [year, month, day] = [parts.get("year") ?? 0, parts.get("month") ?? 0, parts.get("day") ?? 0];
    // As if in UTC: a calendar of dates alone, without hours.
    const date = Date.UTC(year, month - 1, day);
    const sinceMonday = (new Date(date).getUTCDay() + 6) % 7;
    return {
      day: dateNumber(date),
      week: dateNumber(date - sinceMonday * dayMs),
      month: year * 100 + month,
      all: 0,
    };
  }
}

function dateNumber(dateMs: number): number {
  const date = new Date(dateMs);
  return date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}
