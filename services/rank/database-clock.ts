import { limits } from "../../config/limits.ts";

/**
 * The database's clock, the one that says which day it is for the answers of all nodes: read now and then, and kept by
 * this process's monotonic clock in between, so a node's own clock does not matter.
 */
export class DatabaseClock {
  private readonly read: () => Promise<number>;
  private known: { readonly ms: number; readonly at: number } | undefined;
  private reading: Promise<void> | undefined;

  /** @param read the database's time, ms since 1970 */
  constructor(read: () => Promise<number>) {
    this.read = read;
  }

  /** ms since 1970. Rejects as `read`, where the clock has not been read yet. */
  async now(): Promise<number> {
    const isOld = !this.known || performance.now() - this.known.at > limits.rank.clockReadEveryMs;
    if (isOld)
      this.reading ??= this.readAgain().finally(() => {
        this.reading = undefined;
      });
    if (!this.known) await this.reading;
    else this.reading?.catch(() => {});
    const { ms, at } = this.known as { ms: number; at: number };
    return ms + performance.now() - at;
  }

  private async readAgain(): Promise<void> {
    const before = performance.now();
    const ms = await this.read();
    this.known = { ms, at: (before + performance.now()) / 2 };
  }
}
