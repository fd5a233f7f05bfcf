import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { Gathered } from "../../mixins/gathered.ts";

/**
 * Whether accounts are neither frozen nor invalid, as this node saw it last: those that are usable only, for
 * `limits.gift.accountCacheMs`, forgotten at once when a broadcast says that an account changed. One that is not usable
 * is asked for each time, so that an unfreeze counts at once. What is asked for together is one call to the wallet.
 */
export class UsableAccounts {
  private readonly known = new LRUCache<string, true>({
    max: limits.gift.accountCacheEntries,
    ttl: limits.gift.accountCacheMs,
  });
  private readonly unusable: Gathered<true>;
  /** Grows when an account is forgotten: what was asked before must not be remembered after it. */
  private generation = 0;

  /** @param unusableOf those of the users whose account is frozen or invalid */
  constructor(unusableOf: (userIds: string[]) => Promise<{ userIds: readonly string[] }>) {
    this.unusable = new Gathered<true>(
      async (userIds) => new Map((await unusableOf(userIds)).userIds.map((userId) => [userId, true])),
      { keys: limits.wallet.accountsPerCall, queries: 2 },
    );
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
