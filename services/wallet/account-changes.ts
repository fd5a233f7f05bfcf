import type { Account } from "./posting.ts";

/** How accounts change in one batch. */
export interface AccountChanges {
  /** Users whose balances change by the same amount and of whom nothing else does, by that amount. */
  alike: Map<number, string[]>;
  /** The other accounts, as they are to be. */
  apart: Account[];
}

/**
 * Most accounts of a batch of gifts change by the price of one of a few gifts: those are written with one short statement
 * an amount. `fewest` is how many users it takes for that; `before` has every account of `changed`.
 */
export function sortChanges(
  before: ReadonlyMap<string, Account>,
  changed: readonly Account[],
  fewest: number,
): AccountChanges {
  const byAmount = Map.groupBy(changed, (account) => balanceChange(before.get(account.userId) as Account, account));
  const alike = new Map<number, string[]>();
  const apart: Account[] = [];
  for (const [amount, accounts] of byAmount) {
    if (amount === undefined || accounts.length < fewest) apart.push(...accounts);
    else
      alike.set(
        amount,
        accounts.map(({ userId }) => userId),
      );
  }
  return { alike, apart };
}

/** `undefined` where something else changes too. */
function balanceChange(before: Account, after: Account): number | undefined {
  const same =
    before.totalCharged === after.totalCharged && before.debt === after.debt && before.status === after.status;
  return same ? after.balance - before.balance : undefined;
}
