import { guarded } from "../guarded.ts";

/**
 * When batches start. One after a pause starts at once; while messages stream in, small batches, which cost the most of
 * each message, wait a moment to grow.
 */
export class Pace {
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

  /** Asks for a batch: what one read from the socket brings is handed on together. */
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
