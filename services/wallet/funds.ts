import { LRUCache } from "lru-cache";
import type { Context } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { BroadcastEvents } from "../contracts.ts";
import type { Balance } from "./wallet.contract.ts";
import { noBalance } from "./wallet-store.ts";

/** An account as this node last read or wrote it. */
export interface Funds {
  balance: number;
  status: number;
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
  async keep(userId: string, read: () => Promise<Funds>): Promise<Funds> {
    const { generation } = this;
    const funds = await read();
    if (generation === this.generation) this.seen.set(userId, funds);
    return funds;
  }

  forget(userId: string): void {
    this.generation++;
    this.seen.delete(userId);
  }
}

function judge({ balance, status }: Funds, amount: number): "enough" | "short" | "unusable" {
  if (status !== 1) return "unusable";
  return balance >= amount ? "enough" : "short";
}

/** Only "enough" is answered from the cache: a stale balance refuses nobody. */
export async function fundsOf(
  wallet: { funds: FundsCache; balances: BatchLoader<Balance> },
  userId: string,
  amount: number,
): Promise<"enough" | "short" | "unusable"> {
  const seen = wallet.funds.get(userId);
  if (seen && judge(seen, amount) === "enough") return "enough";
  const read = async () => {
    const { balance, status } = (await wallet.balances.get(userId)) ?? noBalance(userId);
    return { balance, status };
  };
  return judge(await wallet.funds.keep(userId, read), amount);
}

/** The cache of the service, and the broadcast that empties it. */
export const fundsMixin = {
  events: {
    "wallet.account-changed"(
      this: { funds: FundsCache },
      { params }: Context<BroadcastEvents["wallet.account-changed"]>,
    ) {
      this.funds.forget(params.userId);
    },
  },
  created(this: { funds: FundsCache }) {
    this.funds = new FundsCache();
  },
};
