import { LRUCache } from "lru-cache";

/** Of a pause. Sums of fractions are rounded, and must not cost the last one of a burst. */
const tolerance = 0.1;

/**
 * A rate with a burst. The caller keeps one number for each user, `paidUntil`: the time up to which the rate is used
 * up, ms, starting with 0. Pure.
 */
export class Rate {
  /** The time that each one takes of the rate. */
  readonly pauseMs: number;
  private readonly aheadMs: number;

  constructor(perSecond: number, burst: number) {
    this.pauseMs = 1_000 / perSecond;
    this.aheadMs = this.pauseMs * (burst + tolerance);
  }

  /** The new `paidUntil`, or `undefined` where the rate is exceeded. A clock that is set back gains nothing. */
  take(paidUntil: number, nowMs: number): number | undefined {
    const next = Math.max(paidUntil, nowMs) + this.pauseMs;
    return next - nowMs > this.aheadMs ? undefined : next;
  }
}

/**
 * The rate of each user on this node, over all connections of the user, in bounded memory: a user who was idle while
 * `remembered` others were active starts with a full burst.
 */
export class UserRate {
  private readonly rate: Rate;
  private readonly paidUntil: LRUCache<string, number>;

  constructor(rate: Rate, remembered: number) {
    this.rate = rate;
    this.paidUntil = new LRUCache({ max: remembered });
  }

  /** False where the rate is exceeded. */
  take(userId: string, nowMs: number): boolean {
    const paidUntil = this.rate.take(this.paidUntil.get(userId) ?? 0, nowMs);
    if (paidUntil !== undefined) this.paidUntil.set(userId, paidUntil);
    return paidUntil !== undefined;
  }

  /** Gives back one that was taken. */
  restore(userId: string): void {
    const paidUntil = this.paidUntil.get(userId);
    if (paidUntil !== undefined) this.paidUntil.set(userId, paidUntil - this.rate.pauseMs);
  }
}

/**
 * The rate of faults of each key (an address, a user) on this node, in bounded memory. Faults beyond the rate are not
 * added up: a key that stops is free again after one pause.
 */
export class FaultRate {
  private readonly pauseMs: number;
  private readonly aheadMs: number;
  private readonly paidUntil: LRUCache<string, number>;

  constructor({ perMinute, burst, remembered }: { perMinute: number; burst: number; remembered: number }) {
    this.pauseMs = 60_000 / perMinute;
    this.aheadMs = this.pauseMs * burst;
    this.paidUntil = new LRUCache({ max: remembered });
  }

  /** Counts a fault. */
  add(key: string, nowMs: number): void {
    const next = Math.max(this.paidUntil.get(key) ?? 0, nowMs) + this.pauseMs;
    this.paidUntil.set(key, Math.min(next, nowMs + this.aheadMs));
  }

  /** Whether the key has as many faults as it may have. A clock that is set back blocks nobody longer. */
  isExceeded(key: string, nowMs: number): boolean {
    const ahead = (this.paidUntil.get(key) ?? 0) - nowMs;
    return ahead > this.aheadMs - this.pauseMs * (1 - tolerance);
  }
}
