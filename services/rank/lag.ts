/** How far the counting on this node is behind settlement, by the clocks of this node and of the settling one. */
export class Lag {
  private last = 0;
  /** When the oldest event of a batch that is not counted yet was published, ms since 1970. */
  private oldest: number | undefined;

  /** Of the last batch; of the batch in work where that waits longer. ms. */
  get ms(): number {
    return this.oldest === undefined ? this.last : Math.max(this.last, Date.now() - this.oldest);
  }

  /** A batch is begun; it may be one that failed. @param times of its events, ISO */
  begin(times: readonly string[]): void {
    const known = times.map((time) => Date.parse(time)).filter((ms) => !Number.isNaN(ms));
    if (known.length > 0) this.oldest = Math.min(...known);
  }

  /** What can be counted of the batch is; the rest never will be, so it is no lag. */
  leave(): void {
    this.oldest = undefined;
  }

  /** The batch is counted. */
  done(): void {
    if (this.oldest !== undefined) this.last = Math.max(0, Date.now() - this.oldest);
    this.oldest = undefined;
  }
}
