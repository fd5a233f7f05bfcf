import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";

/**
 * A cache of usable accounts: neither frozen nor invalid. An entry lives for `limits.gift.accountCacheMs`; the
 * broadcast `wallet.account-changed` removes it at once. Unusable accounts are not cached, so an unfreeze is in force
 * at once. Concurrent queries are one call to the wallet.
 */
export class UsableAccounts {
  private readonly known = new LRUCache<string, true>({
    max: limits.gift.accountCacheEntries,
    ttl: limits.gift.accountCacheMs,
  });
  private readonly unusable: BatchLoader<true>;
  /** Grows with each removal: an answer that was requested before it must not be cached after it. */
  private generation = 0;

  /** @param unusableOf returns the users whose account is frozen or invalid */
  constructor(unusableOf: (userIds: string[]) => Promise<{ userIds: readonly string[] }>) {
    this.unusable = new BatchLoader<true>(
      async (userIds) => new Map((await unusableOf(userIds)).userIds.map((userId) => [userId, true])),
      { keys: limits.wallet.accountsPerCall, queries: 2 },
    );
  }

  /** `true` where the cache has it; `undefined`: ask `has`. */
  cached(userId: string): true | undefined {
    return this.known.get(userId);
  }

  async has(userId: string): Promise<boolean> {
    if (this.known.has(userId)) return true;
    const { generation } = this;
    if (await this.unusable.get(userId)) return false;
    if (generation === this.generation) this.known.set(userId, true);
    return true;
  }

  forget(userId: string): void {
    this.generation++;
    this.known.delete(userId);
  }
}
