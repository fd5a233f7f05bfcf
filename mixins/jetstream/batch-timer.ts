import { guarded } from "../guarded.ts";

/** How long a batch that is not full waits for further items, counted from the start of the one before it. */
export interface Gathering {
  readonly ms: number;
  /** Instead of `ms`, while `perSecond` items a second or more arrive: an item costs less in a larger batch. */
  readonly busy?: { readonly perSecond: number; readonly ms: number };
}

/**
 * Decides when batches start. The first one after a pause starts at once. While items arrive one after the other, a
 * batch that is not full waits for further ones for a time, since an item costs more in a small batch.
 */
export class BatchTimer {
  private readonly gathering: Gathering;
  private readonly ready: () => void;
  private startedAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private scheduled = false;

  /** `ready` is called when a batch that was requested or delayed may start. */
  constructor(gathering: Gathering, log: Parameters<typeof guarded>[0], ready: () => void) {
    this.gathering = gathering;
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

  /**
   * Whether a batch may start now, with `waiting` items. If so, it counts as started. `atOnce` ignores the delay.
   */
  mayStart(waiting: number, atOnce: boolean): boolean {
    if (this.gathering.ms === 0) return true;
    const now = performance.now();
    const remaining = this.startedAt + this.gatherMs(waiting, now - this.startedAt) - now;
    if (remaining <= 0 || atOnce) {
      this.startedAt = now;
      return true;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.ready();
    }, remaining);
    return false;
  }

  /** The items that wait have arrived since the last start, `elapsedMs` ago. */
  private gatherMs(waiting: number, elapsedMs: number): number {
    const { ms, busy } = this.gathering;
    if (!busy || elapsedMs < ms) return ms;
    return (waiting * 1_000) / elapsedMs >= busy.perSecond ? busy.ms : ms;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
