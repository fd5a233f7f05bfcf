import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import type { Gathered } from "../../mixins/gathered.ts";
import type { Balance } from "./wallet.contract.ts";
import { noBalance } from "./wallet-store.ts";

/** What this node last saw of an account. */
export interface Funds {
  balance: number;
  status: number;
}

export function openFundsCache(): LRUCache<string, Funds> {
  return new LRUCache({ max: limits.wallet.fundsCacheEntries, ttl: limits.wallet.fundsCacheMs });
}

function judge({ balance, status }: Funds, amount: number): "enough" | "short" | "unusable" {
  if (status !== 1) return "unusable";
  return balance >= amount ? "enough" : "short";
}

/** A good word may come from the cache, a bad one only from the database: nobody is refused for a stale balance. */
export async function fundsOf(
  wallet: { funds: LRUCache<string, Funds>; balances: Gathered<Balance> },
  userId: string,
  amount: number,
): Promise<"enough" | "short" | "unusable"> {
  const seen = wallet.funds.get(userId);
  if (seen && judge(seen, amount) === "enough") return "enough";
  const { balance, status } = (await wallet.balances.get(userId)) ?? noBalance(userId);
  wallet.funds.set(userId, { balance, status });
  return judge({ balance, status }, amount);
}
