const beijingMs = 8 * 3_600_000;

/** A day (YYYY-MM-DD) of the bills, in Beijing time, as all providers use it. */
export function billDay(date: string): { from: Date; to: Date } {
  const from = new Date(`${date}T00:00:00+08:00`);
  return { from, to: new Date(from.getTime() + 24 * 3_600_000) };
}

/** Whether the day exists and is over. */
export function isOver(date: string, now = Date.now()): boolean {
  const { from, to } = billDay(date);
  if (!(to.getTime() <= now)) return false;
  return new Date(from.getTime() + beijingMs).toISOString().startsWith(date);
}
