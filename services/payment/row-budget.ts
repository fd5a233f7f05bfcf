const minuteMs = 60_000;

/** How many rows may be written in a minute for calls that anybody can make, and that cost the caller nothing. */
export class RowBudget {
  private readonly rowsPerMinute: number;
  private rows = 0;
  private startedAt = 0;

  constructor(rowsPerMinute: number) {
    this.rowsPerMinute = rowsPerMinute;
  }

  /** Whether one more may be written; it counts as written then. */
  take(nowMs: number): boolean {
    // Also where the clock was put back.
    if (Math.abs(nowMs - this.startedAt) >= minuteMs) {
      this.startedAt = nowMs;
      this.rows = 0;
    }
    if (this.rows >= this.rowsPerMinute) return false;
    this.rows++;
    return true;
  }
}
