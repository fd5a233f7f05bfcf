/** Months of a time zone. Pure. */

const quarterMs = 15 * 60_000;
const dayMs = 24 * 3_600_000;

export class Months {
  private readonly format: Intl.DateTimeFormat;

  /** @throws RangeError where there is no such time zone */
  constructor(zone: string) {
    const numeric = { year: "numeric", month: "2-digit" } as const;
    this.format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", { timeZone: zone, ...numeric });
  }

  /** The month of a time, as `2026-10`. */
  of(timeMs: number): string {
    const parts = new Map(this.format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    return `${parts.get("year")?.padStart(4, "0")}-${parts.get("month")}`;
  }

  /** The first moment after a month: the zone's midnight, in ms since 1970. Time zones change at quarters of an hour. */
  endOf(month: string): number {
    const [year = 0, number = 0] = month.split("-").map(Number);
    // The same month in UTC ends within a day of it.
    const about = Date.UTC(year, number, 1);
    let [low, high] = [(about - dayMs) / quarterMs, (about + dayMs) / quarterMs];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.of(middle * quarterMs) > month) high = middle;
      else low = middle + 1;
    }
    return low * quarterMs;
  }

  /** When a month is so many days over, ms since 1970. */
  dueAt(month: string, afterDays: number): number {
    return this.endOf(month) + afterDays * dayMs;
  }

  /** Whether a month ended at least so many days ago. */
  isClosed(month: string, afterDays: number, nowMs: number): boolean {
    return this.dueAt(month, afterDays) <= nowMs;
  }
}
