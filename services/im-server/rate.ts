/**
 * A rate with a burst. What each of its users took is one number that the caller keeps: the moment until which it is
 * paid for, ms; start with 0. Pure.
 */
export class Rate {
  private readonly pauseMs: number;
  private readonly aheadMs: number;

  constructor(perSecond: number, burst: number) {
    this.pauseMs = 1_000 / perSecond;
    this.aheadMs = this.pauseMs * burst;
  }

  /** The new `paidUntil`, or `undefined` where this one is too fast. A clock that is set back gives nothing for free. */
  take(paidUntil: number, nowMs: number): number | undefined {
    const next = Math.max(paidUntil, nowMs) + this.pauseMs;
    return next - nowMs > this.aheadMs ? undefined : next;
  }
}
