import { LRUCache } from "lru-cache";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader, NotLoaded } from "../../mixins/batch-loader.ts";

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

  /** @param unusableOf returns the users whose account is frozen or invalid; `away`: of whom that cannot be read now */
  constructor(unusableOf: (userIds: string[]) => Promise<{ userIds: readonly string[]; away?: readonly string[] }>) {
    this.unusable = new BatchLoader<true>(
      async (asked) => {
        const { userIds, away = [] } = await unusableOf(asked);
        const known = new Map<string, true | NotLoaded>(userIds.map((userId) => [userId, true]));
        for (const userId of away)
          known.set(userId, new NotLoaded(fail("unavailable", { cause: "the receiver's account cannot be read" })));
        return known;
      },
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
