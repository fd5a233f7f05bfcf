const beijingMs = 8 * 3_600_000;
const dayMs = 24 * 3_600_000;

/** The day (YYYY-MM-DD) of a time, in Beijing time. */
export function dayOf(time: number): string {
  return new Date(time + beijingMs).toISOString().slice(0, 10);
}

/** A day (YYYY-MM-DD) of the bills, in Beijing time, as all providers use it. */
export function billDay(date: string): { from: Date; to: Date } {
  const from = new Date(`${date}T00:00:00+08:00`);
  return { from, to: new Date(from.getTime() + dayMs) };
}

/** Whether the day exists and is over. */
export function isOver(date: string, now = Date.now()): boolean {
  const { from, to } = billDay(date);
  if (!(to.getTime() <= now)) return false;
  return new Date(from.getTime() + beijingMs).toISOString().startsWith(date);
}

/** The latest run of a job that runs every day at `atMs` after Beijing's midnight: at `now` or before. */
export function latestRun(now: number, atMs: number): number {
  return Math.floor((now + beijingMs - atMs) / dayMs) * dayMs + atMs - beijingMs;
}

/**
 * The days that the run at `run` compares, oldest first: the `most` days before its own, without those before the day
 * of `first`.
 */
export function daysToCompare(run: number, first: number, most: number): string[] {
  const days = Array.from({ length: most }, (_, at) => dayOf(run - (most - at) * dayMs));
  return days.filter((day) => day >= dayOf(first));
}
