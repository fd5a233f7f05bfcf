import { limits } from "../config/limits.ts";

/**
 * Writes to the log at most once in `limits.log.repeatsEveryMs` what others can cause at will. What comes in between is
 * counted: `unlogged` is how many came since the last line.
 */
export class SparseLog<About extends object> {
  private readonly write: (about: About & { unlogged: number }) => void;
  private last = Number.NEGATIVE_INFINITY;
  private unlogged = 0;

  constructor(write: (about: About & { unlogged: number }) => void) {
    this.write = write;
  }

  add(about: About, now = performance.now()): void {
    if (now - this.last < limits.log.repeatsEveryMs) {
      this.unlogged++;
      return;
    }
    const { unlogged } = this;
    [this.last, this.unlogged] = [now, 0];
    this.write({ ...about, unlogged });
  }
}
