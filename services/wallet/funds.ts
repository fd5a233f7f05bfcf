import { LRUCache } from "lru-cache";
import type { Context } from "moleculer";
import { limits } from "../../config/limits.ts";
import { FaultRate } from "../../mixins/user-rate.ts";
import type { BroadcastEvents } from "../contracts.ts";
import type { FundsVerdict } from "./wallet.contract.ts";

/** An account as this node last read or wrote it. */
export interface Funds {
  balance: number;
  status: number;
}

/** A user without an account. */
const noFunds: Funds = { balance: 0, status: 1 };

/** A user whose funds cannot be read now. */
const away: Funds = { balance: 0, status: 1 };

/** What was read of accounts, and of whom nothing can be read now. */
interface FundsRead {
  readonly found: readonly (Funds & { readonly userId: string })[];
  readonly missing: { has(userId: string): boolean };
}

/** Keeps funds for `limits.wallet.fundsCacheMs`; the broadcast of a freeze or unfreeze removes them at once. */
export class FundsCache {
  private readonly seen = new LRUCache<string, Funds>({
    max: limits.wallet.fundsCacheEntries,
    ttl: limits.wallet.fundsCacheMs,
  });
  /** Incremented by `forget`: funds that were read before must not be cached after it. */
  private generation = 0;

  get(userId: string): Funds | undefined {
    return this.seen.get(userId);
  }

  /** Caches funds that this node has just committed: they are newer than any `forget`. */
  set(userId: string, funds: Funds): void {
    this.seen.set(userId, funds);
  }

  /** Caches what `read` resolves to, unless `forget` is called in the meantime. */
  async keep(userIds: readonly string[], read: () => Promise<FundsRead>): Promise<ReadonlyMap<string, Funds>> {
    const { generation } = this;
    const { found, missing } = await read();
    const funds = new Map<string, Funds>(found.map((one) => [one.userId, one]));
    for (const userId of userIds) if (!funds.has(userId)) funds.set(userId, missing.has(userId) ? away : noFunds);
    if (generation === this.generation)
      for (const userId of userIds) if (!missing.has(userId)) this.seen.set(userId, funds.get(userId) as Funds);
    return funds;
  }

  forget(userId: string): void {
    this.generation++;
    this.seen.delete(userId);
  }
}

function judge(funds: Funds, amount: number): FundsVerdict {
  if (funds === away) return "away";
  const { balance, status } = funds;
  if (status !== 1) return "unusable";
  return balance >= amount ? "enough" : "short";
}

/**
 * Whether each gift may be accepted, in their order. Only "enough" is answered from the cache: a stale balance refuses
 * nobody. All the others are one query.
 */
export async function fundsOf(
  cache: FundsCache,
  gifts: readonly { userId: string; amount: number }[],
  read: (userIds: string[]) => Promise<FundsRead>,
): Promise<FundsVerdict[]> {
  const verdicts = gifts.map(({ userId, amount }): FundsVerdict => {
    const seen = cache.get(userId);
    return seen ? judge(seen, amount) : "short";
  });
  const missing = new Set<string>();
  for (const [at, { userId }] of gifts.entries()) if (verdicts[at] !== "enough") missing.add(userId);
  if (missing.size === 0) return verdicts;
  const userIds = [...missing];
  const found = await cache.keep(userIds, () => read(userIds));
  return gifts.map(({ userId, amount }, at) =>
    verdicts[at] === "enough" ? "enough" : judge(found.get(userId) ?? noFunds, amount),
  );
}

/**
 * The verdicts, with "tooMany" for gifts that could be paid of users too many of whose gifts failed at the charge
 * lately. A gift of a user without the coins stays "short", which says what to do.
 */
export function limitFailures(
  gifts: readonly { userId: string }[],
  verdicts: readonly FundsVerdict[],
  failed: FaultRate,
): FundsVerdict[] {
  const now = Date.now();
  return verdicts.map((verdict, at) =>
    verdict === "enough" && failed.isExceeded(gifts[at]?.userId ?? "", now) ? "tooMany" : verdict,
  );
}

/** The cache of the service, and the broadcast that empties it; and the gifts that failed at the charge. */
export const fundsMixin = {
  events: {
    "wallet.account-changed"(
      this: { funds: FundsCache },
      { params }: Context<BroadcastEvents["wallet.account-changed"]>,
    ) {
      this.funds.forget(params.userId);
    },
  },
  created(this: { funds: FundsCache; failedGifts: FaultRate }) {
    this.funds = new FundsCache();
    const { failedGiftsPerMinute: perMinute, failedGiftsBurst: burst, failedGiftUsers: remembered } = limits.wallet;
    this.failedGifts = new FaultRate({ perMinute, burst, remembered });
  },
};
