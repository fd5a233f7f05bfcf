import { guarded } from "../guarded.ts";

/**
 * Decides when batches start. The first one after a pause starts at once. While messages stream in, a batch that is not
 * full starts `gatherMs` after the one before it, since a message costs more in a small batch.
 */
export class BatchTimer {
  private readonly gatherMs: number;
  private readonly ready: () => void;
  private nextAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private scheduled = false;

  /** `ready` is called when a batch that was requested or delayed may start. */
  constructor(gatherMs: number, log: Parameters<typeof guarded>[0], ready: () => void) {
    this.gatherMs = gatherMs;
    this.ready = guarded(log, "starting a batch", ready);
  }

  /** Requests a batch. It starts after the current read from the socket, so that all messages of one read are in it. */
  soon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.ready();
    });
  }

  /** Whether a batch may start now. If so, it counts as started. `atOnce` ignores the delay. */
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
