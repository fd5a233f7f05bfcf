import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { TokenBucket } from "./token-bucket.ts";

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
  private readonly rates: ConnectRates;
  private readonly all: TokenBucket;
  private readonly users = new LRUCache<string, TokenBucket>({ max: limits.im.userConnectsRemembered });

  constructor(rates: ConnectRates) {
    this.rates = rates;
    this.all = new TokenBucket(rates.connectsPerSecond, rates.connectsBurst, Date.now());
  }

  /** Whether one more may come in now. */
  take(nowMs: number): boolean {
    return this.all.take(nowMs);
  }

  /** Whether the user may come in now. Users who were not here for long start anew. */
  takeUser(userId: string, nowMs: number): boolean {
    let bucket = this.users.get(userId);
    if (!bucket) {
      const { userConnectsPerMinute, userConnectsBurst } = this.rates;
      bucket = new TokenBucket(userConnectsPerMinute / 60, userConnectsBurst, nowMs);
      this.users.set(userId, bucket);
    }
    return bucket.take(nowMs);
  }
}
