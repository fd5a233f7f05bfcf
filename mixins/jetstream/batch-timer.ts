import { guarded } from "../guarded.ts";

/**
 * Says when batches start. The first one after a pause starts at once. While messages stream in, a batch that is not full
 * starts `gatherMs` after the one before it: a small batch costs the most for each of its messages.
 */
export class BatchTimer {
  private readonly gatherMs: number;
  private readonly ready: () => void;
  private nextAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private scheduled = false;

  /** `ready` is called when a batch may start that was told to wait, or was asked for. */
  constructor(gatherMs: number, log: Parameters<typeof guarded>[0], ready: () => void) {
    this.gatherMs = gatherMs;
    this.ready = guarded(log, "starting a batch", ready);
  }

  /** Asks for a batch. All messages of one read from the socket come together, so it starts after that read. */
  soon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.ready();
    });
  }

  /** Whether a batch may start now, which then counts as started; `atOnce` lets it in any case. */
  mayStart(atOnce: boolean): boolean {
    if (this.gatherMs === 0) return true;
    const now = performance.now();
    if (now >= this.nextAt || atOnce) {
      this.nextAt = now + this.gatherMs;
      return true;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.ready();
    }, this.nextAt - now);
    return false;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
