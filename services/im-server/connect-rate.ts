import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { Rate } from "./rate.ts";

export interface ConnectRates {
  connectsPerSecond: number;
  connectsBurst: number;
  userConnectsPerMinute: number;
  userConnectsBurst: number;
}

/**
 * How fast sockets come in on one node: all together, so that a crowd that comes back at once does not hold up who is
 * there, and those of one user, each of which costs the user's former one its life.
 */
export class ConnectRate {
  private readonly ofAll: Rate;
  private readonly ofUser: Rate;
  private allPaidUntil = 0;
  private readonly usersPaidUntil = new LRUCache<string, number>({ max: limits.im.userConnectsRemembered });

  constructor(rates: ConnectRates) {
    this.ofAll = new Rate(rates.connectsPerSecond, rates.connectsBurst);
    this.ofUser = new Rate(rates.userConnectsPerMinute / 60, rates.userConnectsBurst);
  }

  /** Whether one more may come in now. */
  take(nowMs: number): boolean {
    const paidUntil = this.ofAll.take(this.allPaidUntil, nowMs);
    this.allPaidUntil = paidUntil ?? this.allPaidUntil;
    return paidUntil !== undefined;
  }

  /** Whether the user may come in now. Users who were not here for long start anew. */
  takeUser(userId: string, nowMs: number): boolean {
    const paidUntil = this.ofUser.take(this.usersPaidUntil.get(userId) ?? 0, nowMs);
    if (paidUntil !== undefined) this.usersPaidUntil.set(userId, paidUntil);
    return paidUntil !== undefined;
  }
}
