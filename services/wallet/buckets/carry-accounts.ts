import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { HeldFilters } from "../../../mixins/archive/held-filters.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { bucketInPrefix, bucketOutPrefix } from "../business-ids.ts";
import { type Account, type DebtRow, type TradeRow, tradeTypes } from "../posting.ts";
import { insertDebts, insertTrades, lockAccounts, readPriors, updateAccounts } from "../wallet-store.ts";
import { type BucketMove, isBefore, type LeavingAccount, leavingAccounts, movedCoins } from "./bucket-store.ts";
import type { ServerView } from "./ledger-servers.ts";
import type { MoveBreakpoint } from "./move-state.ts";

/** A move whose source is closed. */
interface Carrying {
  readonly move: BucketMove;
  readonly source: ServerView;
  readonly target: ServerView;
}

/**
 * Takes every account of a bucket that has a balance, a debt or a status from the source to the target, some at a time:
 * first they arrive, then they leave, each with postings of the move. Nothing else writes them, so whoever goes on after a
 * crash finds at the source what has not left, and at the target by its business id what has arrived. Returns how many.
 */
export async function carryAccounts(carrying: Carrying, reached: MoveBreakpoint): Promise<number> {
  const { move, source, target } = carrying;
  let count = 0;
  for (let above = "0"; ; ) {
    const accounts = await leavingAccounts(source.mysql, move.bucket, above, limits.wallet.moveAccounts);
    if (accounts.length === 0) return count;
    await target.archive.holding((hold) =>
      target.seals.transaction(target.mysql, async (tx, sealing) => {
        await arrive({ tx, sealing, held: await hold(tx) }, carrying, accounts);
      }),
    );
    await reached("arrived");
    await source.archive.holding((hold) =>
      source.seals.transaction(source.mysql, async (tx, sealing) => {
        await leave({ tx, sealing, held: await hold(tx) }, carrying, accounts);
      }),
    );
    await requireEqual(carrying, accounts);
    await reached("left");
    count += accounts.length;
    above = (accounts.at(-1) as LeavingAccount).userId;
  }
}

/** A transaction that holds the filters of its server's archive. */
interface Writing {
  readonly tx: Transaction;
  readonly sealing: Sealing;
  readonly held: HeldFilters;
}

/** What is written of accounts: their rows, as they change. */
class Written {
  readonly trades: TradeRow[] = [];
  readonly debts: DebtRow[] = [];
  readonly changed: Account[] = [];

  /** Gives the account coins and a debt, or takes them where they are below zero, under one business id. */
  add(account: Account, bizId: string, coins: number, debt: number): void {
    account.balance += coins;
    account.debt += debt;
    if (!Number.isSafeInteger(account.balance) || !Number.isSafeInteger(account.debt))
      throw new RangeError(`the account of user ${account.userId} would be no safe integer`);
    const { userId, balance: balanceAfter } = account;
    if (coins !== 0)
      this.trades.push({
        ...{ userId, num: coins, type: tradeTypes.adjust, status: 1, bizId, counterpartyId: null },
        ...{ incomePoints: 0, balanceAfter, reason: null },
      });
    if (debt !== 0) this.debts.push({ userId, num: debt, bizId });
  }

  async write(tx: Transaction, sealing: Sealing): Promise<void> {
    await insertTrades(tx, this.trades, sealing);
    await insertDebts(tx, this.debts, sealing);
    await updateAccounts(tx, this.changed);
  }
}

async function arrive(
  { tx, sealing, held }: Writing,
  { move }: Carrying,
  leaving: readonly LeavingAccount[],
): Promise<void> {
  // A node that stalled must not set the status that an account had then.
  if (!(await isBefore(tx, move.bucket, move.revision)))
    throw fail("unavailable", { cause: "another node has opened the bucket at its target" });
  const ids = leaving.map(({ userId }) => `${bucketInPrefix(move.id)}${userId}`);
  const accounts = await lockAccounts(
    tx,
    leaving.map(({ userId }) => userId),
    sealing,
  );
  const priors = await readPriors(tx, ids, ids, () => held.suspects(ids));
  const written = new Written();
  for (const [at, { userId, balance, debt, status }] of leaving.entries()) {
    const account = accounts.get(userId) as Account;
    const bizId = ids[at] as string;
    if (!priors.has(bizId)) written.add(account, bizId, balance, debt);
    account.status = status;
    written.changed.push(account);
  }
  await written.write(tx, sealing);
}

async function leave(
  { tx, sealing, held }: Writing,
  { move }: Carrying,
  leaving: readonly LeavingAccount[],
): Promise<void> {
  const ids = leaving.map(({ userId }) => `${bucketOutPrefix(move.id)}${userId}`);
  const accounts = await lockAccounts(
    tx,
    leaving.map(({ userId }) => userId),
    sealing,
  );
  const priors = await readPriors(tx, ids, ids, () => held.suspects(ids));
  const written = new Written();
  for (const [at, { userId }] of leaving.entries()) {
    const account = accounts.get(userId) as Account;
    const bizId = ids[at] as string;
    if (priors.has(bizId)) continue;
    written.add(account, bizId, -account.balance, -account.debt);
    account.status = 1;
    written.changed.push(account);
  }
  await written.write(tx, sealing);
}

/** What has left these accounts has arrived. @throws Error where it has not: the bucket stays closed, for a person */
async function requireEqual({ move, source, target }: Carrying, leaving: readonly LeavingAccount[]): Promise<void> {
  const users = leaving.map(({ userId }) => userId);
  const [outCoins, outDebts] = await movedCoins(source.mysql, bucketOutPrefix(move.id), users);
  const [inCoins, inDebts] = await movedCoins(target.mysql, bucketInPrefix(move.id), users);
  if (outCoins + inCoins !== 0n || outDebts + inDebts !== 0n)
    throw new Error(`move ${move.id}: ${outCoins}, ${outDebts} left ${move.source}, ${inCoins}, ${inDebts} arrived`);
}
