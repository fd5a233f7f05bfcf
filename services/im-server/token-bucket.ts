/** A rate with a burst: `take` gives one of `burst` tokens, which come back at `perSecond`. */
export class TokenBucket {
  private tokens: number;
  private at: number;
  private readonly perSecond: number;
  private readonly burst: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.tokens = burst;
    this.at = nowMs;
  }

  /** Whether there was a token. `nowMs` must not run backwards by much; where it does nothing is refilled. */
  take(nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.at) * this.perSecond) / 1_000;
    this.tokens = Math.min(this.burst, this.tokens + refill);
    this.at = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
