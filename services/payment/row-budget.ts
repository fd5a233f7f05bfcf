const minuteMs = 60_000;

/** Bounds the rows that are written in a minute for calls that anybody can make, at no cost to the caller. */
export class RowBudget {
  private readonly rowsPerMinute: number;
  private rows = 0;
  private startedAt = 0;

  constructor(rowsPerMinute: number) {
    this.rowsPerMinute = rowsPerMinute;
  }

  /** Whether another row may be written; if so, it is counted. */
  take(nowMs: number): boolean {
    // Also where the clock was set back.
    if (Math.abs(nowMs - this.startedAt) >= minuteMs) {
      this.startedAt = nowMs;
      this.rows = 0;
    }
    if (this.rows >= this.rowsPerMinute) return false;
    this.rows++;
    return true;
  }
}
