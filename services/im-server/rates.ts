import { limits } from "../../config/limits.ts";
import { FaultRate, Rate, UserRate } from "../../mixins/user-rate.ts";

interface ConnectLimits {
  readonly connectsPerSecond: number;
  readonly connectsBurst: number;
  readonly userConnectsPerMinute: number;
  readonly userConnectsBurst: number;
  readonly badTokensPerMinute: number;
  readonly badTokensBurst: number;
}

/**
 * The rate of new sockets on one node: of all together, so that many reconnecting clients do not delay the present
 * ones; and of each user, since each socket replaces the user's former one. And the rate of bad tokens of each address,
 * so that who has none cannot use up the rate of all.
 */
export class ConnectRate {
  private readonly ofAll: Rate;
  private readonly ofUser: UserRate;
  private readonly badTokens: FaultRate;
  private allPaidUntil = 0;

  constructor(bounds: ConnectLimits) {
    this.ofAll = new Rate(bounds.connectsPerSecond, bounds.connectsBurst);
    const ofUser = new Rate(bounds.userConnectsPerMinute / 60, bounds.userConnectsBurst);
    this.ofUser = new UserRate(ofUser, limits.im.userConnectsRemembered);
    const { badTokensPerMinute: perMinute, badTokensBurst: burst } = bounds;
    this.badTokens = new FaultRate({ perMinute, burst, remembered: limits.im.addressesRemembered });
  }

  /** Whether the address has given too many bad tokens lately. */
  isSuspected(address: string, nowMs: number): boolean {
    return this.badTokens.isExceeded(address, nowMs);
  }

  /** Counts a bad token. */
  badToken(address: string, nowMs: number): void {
    this.badTokens.add(address, nowMs);
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
