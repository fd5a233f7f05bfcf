import { limits } from "../../config/limits.ts";
import { Rate } from "./rate.ts";
import { UserRate } from "./user-rate.ts";

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
  private readonly ofUser: UserRate;
  private allPaidUntil = 0;

  constructor(rates: ConnectRates) {
    this.ofAll = new Rate(rates.connectsPerSecond, rates.connectsBurst);
    const ofUser = new Rate(rates.userConnectsPerMinute / 60, rates.userConnectsBurst);
    this.ofUser = new UserRate(ofUser, limits.im.userConnectsRemembered);
  }

  /** Whether one more may come in now. */
  take(nowMs: number): boolean {
    const paidUntil = this.ofAll.take(this.allPaidUntil, nowMs);
    this.allPaidUntil = paidUntil ?? this.allPaidUntil;
    return paidUntil !== undefined;
  }

  /** Whether the user may come in now. Users who were not here for long start anew. */
  takeUser(userId: string, nowMs: number): boolean {
    return this.ofUser.take(userId, nowMs);
  }
}
