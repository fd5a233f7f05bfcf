import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { HeldFilters } from "../../../mixins/archive/held-filters.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { bucketInPrefix, bucketOutPrefix } from "../business-ids.ts";
import { type Account, type DebtRow, type TradeRow, tradeTypes } from "../posting.ts";
import { clearStatuses, insertDebts, insertTrades, lockAccounts, readPriors, updateAccounts } from "../wallet-store.ts";
import type { BucketMove } from "./bucket-store.ts";
import {
  type Carried,
  type CarriedLedger,
  carriedAbove,
  carriedLedgers,
  unusualStatuses,
  usersWithCoins,
} from "./carry-store.ts";
import { isBefore, isClosedAt } from "./gate-store.ts";
import type { ServerView } from "./ledger-servers.ts";
import type { MoveBreakpoint } from "./move-state.ts";

/** A move whose source is closed. */
export interface Carrying {
  readonly move: BucketMove;
  readonly source: ServerView;
  readonly target: ServerView;
}

const size = limits.wallet.moveAccounts;

/**
 * Takes every account of a bucket from the source to the target, some at a time: balances and debts leave, under the lock
 * of the account and of the closed gate; what arrives is read from the postings of what has left; then the frozen and
 * closed accounts are so at the target too. Whoever goes on after a crash finds by the business ids what is done. Returns
 * how many accounts had coins. @throws Error where another sum or another user has arrived than left: the bucket stays
 * closed, for a person
 */
export async function carryAccounts(carrying: Carrying, reached: MoveBreakpoint): Promise<number> {
  const { move, source } = carrying;
  await inParts(
    (above) => usersWithCoins(source.mysql, { bucket: move.bucket, above, limit: size }),
    String,
    (users) => writing(carrying, "source", (within) => leave(within, carrying, users)),
  );
  await reached("left");
  for (const ledger of carriedLedgers)
    await inParts(
      (above) => carriedAbove(source.mysql, ledger, bucketOutPrefix(move.id), above, size),
      ({ bizId }) => bizId,
      (left) => writing(carrying, "target", (within) => arrive(within, carrying, ledger, left)),
    );
  await inParts(
    (above) => unusualStatuses(source.mysql, { bucket: move.bucket, above, limit: size }),
    ({ userId }) => userId,
    (accounts) => writing(carrying, "target", (within) => setStatuses(within, carrying, accounts)),
  );
  await reached("arrived");
  return requireEqual(carrying);
}

/** What counts of an account is at the target: once that is noted, the source forgets what it was. */
export async function forgetStatuses({ move, source }: Carrying): Promise<void> {
  await source.mysql.transaction(async (tx) => {
    // A later move may have brought the bucket back.
    if (await isClosedAt(tx, move.bucket, move.revision - 1)) await clearStatuses(tx, move.bucket);
  });
}

/** Reads part by part, each above the last of the one before, and does something with each. */
async function inParts<Item>(
  read: (above: string) => Promise<readonly Item[]>,
  keyOf: (item: Item) => string,
  work: (items: readonly Item[]) => Promise<void>,
): Promise<void> {
  for (let above = "0"; ; ) {
    const items = await read(above);
    if (items.length === 0) return;
    await work(items);
    above = keyOf(items.at(-1) as Item);
  }
}

/** A sealed transaction that holds the filters of its server's archive. */
interface Writing {
  readonly tx: Transaction;
  readonly sealing: Sealing;
  readonly held: HeldFilters;
}

/** A transaction on one of the two servers, to which business ids that are archived there are known. */
function writing(
  carrying: Carrying,
  side: "source" | "target",
  work: (within: Writing) => Promise<void>,
): Promise<void> {
  const { archive, seals, mysql } = carrying[side];
  return archive.holding((hold) =>
    seals.transaction(mysql, async (tx, sealing) => {
      await work({ tx, sealing, held: await hold(tx) });
    }),
  );
}

/** What is written of accounts: their rows, as they change. */
class Written {
  readonly trades: TradeRow[] = [];
  readonly debts: DebtRow[] = [];
  readonly changed: Account[] = [];

  /** Gives the account coins and a debt, or takes them where they are below zero, under one business id. */
  add(account: Account, bizId: string, { coins = 0, debts = 0 }: Partial<Record<CarriedLedger, number>>): void {
    account.balance += coins;
    account.debt += debts;
    if (!Number.isSafeInteger(account.balance) || !Number.isSafeInteger(account.debt))
      throw new RangeError(`the account of user ${account.userId} would be no safe integer`);
    const { userId, balance: balanceAfter } = account;
    if (coins !== 0)
      this.trades.push({
        ...{ userId, num: coins, type: tradeTypes.adjust, status: 1, bizId, counterpartyId: null },
        ...{ incomePoints: 0, balanceAfter, reason: null },
      });
    if (debts !== 0) this.debts.push({ userId, num: debts, bizId });
    this.changed.push(account);
  }

  async write(tx: Transaction, sealing: Sealing): Promise<void> {
    await insertTrades(tx, this.trades, sealing);
    await insertDebts(tx, this.debts, sealing);
    await updateAccounts(tx, this.changed);
  }
}

async function leave({ tx, sealing, held }: Writing, { move }: Carrying, users: readonly string[]): Promise<void> {
  // A node that stalled must not empty accounts that a later move has brought back.
  if (!(await isClosedAt(tx, move.bucket, move.revision - 1)))
    throw fail("unavailable", { cause: "the bucket is not closed at its source, as this move left it" });
  const ids = users.map((userId) => `${bucketOutPrefix(move.id)}${userId}`);
  const accounts = await lockAccounts(tx, users, sealing);
  const priors = await readPriors(tx, ids, ids, () => held.suspects(ids));
  const written = new Written();
  for (const [at, userId] of users.entries()) {
    const account = accounts.get(userId) as Account;
    const bizId = ids[at] as string;
    const isEmpty = account.balance === 0 && account.debt === 0;
    // Nobody writes the accounts of a closed gate: what has left once and is there again is for a person.
    if (priors.has(bizId) && !isEmpty) throw new Error(`${bizId} is written, and the account has coins or a debt`);
    if (!isEmpty) written.add(account, bizId, { coins: -account.balance, debts: -account.debt });
  }
  await written.write(tx, sealing);
}

/** A node that stalled must not write once users write at the target. */
async function requireNotOpened(tx: Transaction, { bucket, revision }: BucketMove): Promise<void> {
  if (!(await isBefore(tx, bucket, revision)))
    throw fail("unavailable", { cause: "another node has opened the bucket at its target" });
}

async function arrive(
  { tx, sealing, held }: Writing,
  { move }: Carrying,
  ledger: CarriedLedger,
  left: readonly Carried[],
): Promise<void> {
  await requireNotOpened(tx, move);
  const users = left.map(({ userId }) => userId);
  const ids = users.map((userId) => `${bucketInPrefix(move.id)}${userId}`);
  const accounts = await lockAccounts(tx, users, sealing);
  const priors = await readPriors(tx, ids, ids, () => held.suspects(ids));
  const written = new Written();
  for (const [at, { userId, num }] of left.entries()) {
    const bizId = ids[at] as string;
    const prior = priors.get(bizId);
    const isThere = prior !== undefined && (ledger === "coins" ? prior.num : prior.debtNum) !== 0;
    if (!isThere) written.add(accounts.get(userId) as Account, bizId, { [ledger]: -num });
  }
  await written.write(tx, sealing);
}

/** Makes accounts frozen or closed, never usual: the source may have forgotten what they were. */
async function setStatuses(
  { tx, sealing }: Writing,
  { move }: Carrying,
  unusual: readonly { userId: string; status: number }[],
): Promise<void> {
  await requireNotOpened(tx, move);
  const accounts = await lockAccounts(
    tx,
    unusual.map(({ userId }) => userId),
    sealing,
  );
  for (const { userId, status } of unusual) (accounts.get(userId) as Account).status = status;
  await updateAccounts(tx, [...accounts.values()]);
}

/** Compares all postings of the move on both servers, one by one. Returns how many users they are of. */
async function requireEqual({ move, source, target }: Carrying): Promise<number> {
  const users = new Set<string>();
  for (const ledger of carriedLedgers) {
    const arrived = new Map<string, Carried>();
    const into = bucketInPrefix(move.id);
    await inParts(
      (above) => carriedAbove(target.mysql, ledger, into, above, size),
      ({ bizId }) => bizId,
      async (rows) => {
        for (const row of rows) arrived.set(row.bizId.slice(into.length), row);
      },
    );
    const from = bucketOutPrefix(move.id);
    await inParts(
      (above) => carriedAbove(source.mysql, ledger, from, above, size),
      ({ bizId }) => bizId,
      async (rows) => {
        for (const { bizId, userId, num } of rows) {
          const own = arrived.get(userId);
          if (bizId !== `${from}${userId}` || own?.userId !== userId || own.num !== -num)
            throw new Error(
              `move ${move.id}: ${ledger} ${num} of user ${userId} left, ${own?.num ?? "nothing"} arrived`,
            );
          arrived.delete(userId);
          users.add(userId);
        }
      },
    );
    const [more] = arrived.values();
    if (more) throw new Error(`move ${move.id}: ${more.bizId} arrived at ${move.target}, and nothing left`);
  }
  return users.size;
}
