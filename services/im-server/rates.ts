import { limits } from "../../config/limits.ts";
import { Rate, UserRate } from "../../mixins/user-rate.ts";

interface ConnectLimits {
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  readonly userConnectsPerMinute: number;
  readonly userConnectsBurst: number;
}

/**
 * The rate of new sockets on one node: of all together, so that many reconnecting clients do not delay the present
 * ones; and of each user, since each socket replaces the user's former one.
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

  /** Whether another socket may be admitted now. */
  take(nowMs: number): boolean {
    const paidUntil = this.ofAll.take(this.allPaidUntil, nowMs);
    this.allPaidUntil = paidUntil ?? this.allPaidUntil;
    return paidUntil !== undefined;
  }

  /** Whether another socket of the user may be admitted now. */
  takeUser(userId: string, nowMs: number): boolean {
    return this.ofUser.take(userId, nowMs);
  }
}
