import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";

/**
 * A rate with a burst. What each of its users took is one number that the caller keeps: the time until which it is paid
 * for, ms; start with 0. Pure.
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

/**
 * A rate of each user on this node, over all of the user's connections, in a bounded memory: a user who was idle for
 * longer than `remembered` others starts with a full burst.
 */
export class UserRate {
  private readonly rate: Rate;
  private readonly paidUntil: LRUCache<string, number>;

  constructor(rate: Rate, remembered: number) {
    this.rate = rate;
    this.paidUntil = new LRUCache({ max: remembered });
  }

  /** False where this one is too fast. */
  take(userId: string, nowMs: number): boolean {
    const paidUntil = this.rate.take(this.paidUntil.get(userId) ?? 0, nowMs);
    if (paidUntil !== undefined) this.paidUntil.set(userId, paidUntil);
    return paidUntil !== undefined;
  }
}

interface ConnectLimits {
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  readonly userConnectsPerMinute: number;
  readonly userConnectsBurst: number;
}

/**
 * How fast sockets come in on one node: all together, so that many who come back at once do not delay those who
 * are there, and those of one user, since each of them replaces the user's former one.
 */
export class ConnectRate {
  private readonly ofAll: Rate;
  private readonly ofUser: UserRate;
  private allPaidUntil = 0;

  constructor(bounds: ConnectLimits) {
    this.ofAll = new Rate(bounds.connectsPerSecond, bounds.connectsBurst);
    const ofUser = new Rate(bounds.userConnectsPerMinute / 60, bounds.userConnectsBurst);
    this.ofUser = new UserRate(ofUser, limits.im.userConnectsRemembered);
  }

  /** Whether one more may come in now. */
  take(nowMs: number): boolean {
    const paidUntil = this.ofAll.take(this.allPaidUntil, nowMs);
    this.allPaidUntil = paidUntil ?? this.allPaidUntil;
    return paidUntil !== undefined;
  }

  /** Whether the user may come in now. */
  takeUser(userId: string, nowMs: number): boolean {
    return this.ofUser.take(userId, nowMs);
  }
}
