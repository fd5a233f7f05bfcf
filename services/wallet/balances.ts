import { isUnavailable } from "../../broker/failure.ts";
import { NotLoaded } from "../../mixins/batch-loader.ts";
import { whilePresent } from "../../mixins/mysql/server-presence.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import type { ReadApart } from "./buckets/read-apart.ts";
import type { Balance } from "./wallet.contract.ts";
import { noBalance, readBalances } from "./wallet-store.ts";

/** Balances of users on one server or several, committed when they are read. */

/**
 * What the charge goes by: balance and status, which are where the user's rows are written; a user without an account is
 * left out. `missing`: of whom nothing can be read now.
 */
export function fundsOn(servers: LedgerServers, userIds: readonly string[]): Promise<ReadApart<Balance>> {
  return servers.readApart(userIds, async (db, own) => [...(await readBalances(db, own)).values()]);
}

/**
 * Balances by user; a user without an account is left out, and of one whose server is away there is the error. What was ever
 * charged is added up over all servers that have rows of hers: it stays where it was charged.
 */
export async function balancesApart(
  servers: LedgerServers,
  userIds: readonly string[],
): Promise<Map<string, Balance | NotLoaded>> {
  const { found, missing } = await fundsOn(servers, userIds);
  const balances = new Map<string, Balance | NotLoaded>(found.map((balance) => [balance.userId, balance]));
  for (const [userId, error] of missing) balances.set(userId, new NotLoaded(error));
  if (!servers.isSeveral) return balances;
  const left = userIds
    .filter((userId) => !missing.has(userId))
    .flatMap((userId) =>
      servers
        .withRowsOf(userId)
        .slice(1)
        .map((server) => ({ server, userId })),
    );
  for (const [{ view, presence }, own] of Map.groupBy(left, ({ server }) => server)) {
    const ids = own.map(({ userId }) => userId);
    try {
      const there = await whilePresent(presence, () => readBalances(view.mysql, ids));
      for (const { userId, totalCharged } of there.values()) {
        const now = balances.get(userId) ?? noBalance(userId);
        if (!(now instanceof NotLoaded))
          balances.set(userId, { ...now, totalCharged: now.totalCharged + totalCharged });
      }
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      for (const userId of ids) balances.set(userId, new NotLoaded(error));
    }
  }
  return balances;
}

/** The balance of a user. Fails: unavailable, where a server with rows of hers is away. */
export async function balanceOn(servers: LedgerServers, userId: string): Promise<Balance> {
  const balance = (await balancesApart(servers, [userId])).get(userId) ?? noBalance(userId);
  if (balance instanceof NotLoaded) throw balance.error;
  return balance;
}
