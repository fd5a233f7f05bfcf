import type { LedgerServers } from "./buckets/ledger-servers.ts";
import type { Funds } from "./funds.ts";
import type { Balance } from "./wallet.contract.ts";
import { noBalance, readBalances } from "./wallet-store.ts";

/** Balances of users on one server or several, committed when they are read. */

async function onOwnServers(servers: LedgerServers, userIds: readonly string[]): Promise<Map<string, Balance>> {
  const found = await servers.read(userIds, async (db, own) => [...(await readBalances(db, own)).values()]);
  return new Map(found.map((balance) => [balance.userId, balance]));
}

/** What the charge goes by: balance and status, which are where the user's rows are written. */
export const fundsOn: (servers: LedgerServers, userIds: readonly string[]) => Promise<ReadonlyMap<string, Funds>> =
  onOwnServers;

/**
 * Balances by user; a user without an account is left out. What was ever charged is added up over all servers that have
 * rows of hers: it stays where it was charged.
 */
export async function balancesOn(servers: LedgerServers, userIds: readonly string[]): Promise<Map<string, Balance>> {
  const balances = await onOwnServers(servers, userIds);
  if (!servers.isSeveral) return balances;
  const left = userIds.flatMap((userId) =>
    servers
      .withRowsOf(userId)
      .slice(1)
      .map((server) => ({ server, userId })),
  );
  for (const [{ view }, own] of Map.groupBy(left, ({ server }) => server))
    for (const { userId, totalCharged } of (
      await readBalances(
        view.mysql,
        own.map((one) => one.userId),
      )
    ).values()) {
      const now = balances.get(userId) ?? noBalance(userId);
      balances.set(userId, { ...now, totalCharged: now.totalCharged + totalCharged });
    }
  return balances;
}
