import { LRUCache } from "lru-cache";
import type { Context } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { BroadcastEvents } from "../contracts.ts";
import type { Balance } from "./wallet.contract.ts";
import { noBalance } from "./wallet-store.ts";

/** What this node last saw of an account. */
export interface Funds {
  balance: number;
  status: number;
}

/** For `limits.wallet.fundsCacheMs`; forgotten at once when a broadcast says that an account was frozen or unfrozen. */
export class FundsCache {
  private readonly seen = new LRUCache<string, Funds>({
    max: limits.wallet.fundsCacheEntries,
    ttl: limits.wallet.fundsCacheMs,
  });
  /** Grows when an account is forgotten: funds that were read before must not be cached after it. */
  private generation = 0;

  get(userId: string): Funds | undefined {
    return this.seen.get(userId);
  }

  /** Funds that this node has just committed: newer than anything that was forgotten. */
  set(userId: string, funds: Funds): void {
    this.seen.set(userId, funds);
  }

  /** Remembers what `read` brings, unless an account is forgotten meanwhile. */
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

/** Only "enough" is answered from the cache: nobody is refused for a stale balance. */
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
