import { isUnavailable } from "../../broker/failure.ts";
import { Mailboxes } from "../../mixins/mailboxes.ts";
import { isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { LockHold } from "../../mixins/redis-lock.mixin.ts";
import { debtPaymentId } from "./business-ids.ts";
import { insertPendingIncomes } from "./income/income-store.ts";
import { decide } from "./ledger.ts";
import type { Account, Command, Decision, Outcome, Prior } from "./posting.ts";
import { insertDebts, insertTrades, lockAccounts, readPriors, updateAccounts } from "./wallet-store.ts";

/** A command on its way; the key is the user. */
interface CommandLetter {
  readonly key: string;
  readonly command: Command;
  readonly arrivedAt: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

type Hand = Map<string, CommandLetter[]>;

export interface WriterPorts {
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  acquire(keys: readonly string[]): Promise<LockHold>;
  /** More rows for the same transaction: the events that tell of it. */
  alsoWrite(tx: Transaction, commands: readonly Command[], decision: Decision): Promise<void>;
  /** After a commit: accounts as they are now. */
  committed(accounts: readonly Account[], decision: Decision): void;
  now(): number;
  warn(about: object, text: string): void;
}

export interface WriterLimits {
  batchCommands: number;
  batchesInFlight: number;
  mailboxCommands: number;
  lockWaitMs: number;
  lockRetryMs: number;
}

/** The third look is for a business id that another user's batch wrote between our look and our write. */
const maxAttempts = 3;
const noPriors: ReadonlyMap<string, Prior> = new Map();

/**
 * Group commit: what waits in many users' mailboxes is decided and written in one transaction, and what gathers
 * meanwhile is the next one. No timer makes a command wait, so an idle wallet answers at once and a busy one pays for a
 * commit once in hundreds of commands. Several transactions may be under way, never two with the same user.
 */
export class LedgerWriter {
  private readonly mailboxes = new Mailboxes<CommandLetter>();
  private readonly ports: WriterPorts;
  private readonly bounds: WriterLimits;
  private inFlight = 0;
  /** Commands of users whose locks are held elsewhere. */
  private parked = 0;
  private pumpScheduled = false;
  private idle: () => void = () => {};
  readonly counters = { batches: 0, commands: 0, splits: 0, withoutLock: 0, repeats: 0 };

  constructor(ports: WriterPorts, bounds: WriterLimits) {
    this.ports = ports;
    this.bounds = bounds;
  }

  /** Commands waiting, those in flight not counted. */
  get waiting(): number {
    return this.mailboxes.size + this.parked;
  }

  /** Whether so many more commands may be put; a caller that is refused answers `unavailable`. */
  hasRoomFor(commands: number): boolean {
    return this.waiting + commands <= this.bounds.mailboxCommands;
  }

  /**
   * Puts a command into its user's mailbox. Resolves once its outcome is committed, or was committed before; rejects
   * where the truth could not be written or is not known (the database was away): then the same command may come again.
   */
  submit(command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.mailboxes.put({ key: command.userId, command, arrivedAt: this.ports.now(), resolve, reject });
      this.pumpSoon();
    });
  }

  /** Resolves once nothing waits and nothing is in flight. */
  async drain(): Promise<void> {
    while (this.inFlight > 0 || this.waiting > 0)
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
  }

  /** The commands of one call come in one go: the mailboxes are looked at once they are all in. */
  private pumpSoon(): void {
    if (this.pumpScheduled || this.inFlight >= this.bounds.batchesInFlight) return;
    this.pumpScheduled = true;
    queueMicrotask(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.inFlight < this.bounds.batchesInFlight && this.mailboxes.hasReady) {
      const hand = this.mailboxes.take(this.bounds.batchCommands);
      this.inFlight++;
      void this.carryOut(hand).finally(() => {
        this.inFlight--;
        this.pump();
        this.idle();
      });
    }
  }

  /** Never rejects: every letter is answered, or is back in its mailbox. */
  private async carryOut(hand: Hand): Promise<void> {
    const hold = await this.ports.acquire([...hand.keys()].map((userId) => `wallet:${userId}`));
    const mine: Hand = new Map();
    for (const [userId, letters] of hand) {
      if (hold.acquired.has(`wallet:${userId}`) || this.waitedTooLong(letters)) mine.set(userId, letters);
      else this.park(userId, letters);
    }
    try {
      if (mine.size > 0) await this.write(mine);
    } finally {
      await hold.release();
      for (const userId of mine.keys()) this.mailboxes.done(userId);
    }
  }

  /** A holder that died keeps its locks until their TTL; money does not wait for that, since the row locks decide. */
  private waitedTooLong(letters: readonly CommandLetter[]): boolean {
    const late = this.ports.now() - (letters[0] as CommandLetter).arrivedAt > this.bounds.lockWaitMs;
    if (late) {
      this.counters.withoutLock++;
      this.ports.warn({ userId: letters[0]?.key }, "a user's lock did not come free in time: going on without it");
    }
    return late;
  }

  private park(userId: string, letters: CommandLetter[]): void {
    this.parked += letters.length;
    setTimeout(() => {
      this.parked -= letters.length;
      this.mailboxes.putBack(userId, letters);
      this.pump();
    }, this.bounds.lockRetryMs);
  }

  private async write(hand: Hand): Promise<void> {
    const letters = [...hand.values()].flat();
    try {
      const decision = await this.commit(letters.map(({ command }) => command));
      this.counters.batches++;
      this.counters.commands += letters.length;
      letters.forEach((letter, index) => {
        letter.resolve(decision.outcomes[index] as Outcome);
      });
    } catch (error) {
      if (isUnavailable(error) || hand.size === 1) {
        for (const letter of letters) letter.reject(error);
        return;
      }
      // One user's command cannot be written; alone, the others' can.
      this.counters.splits++;
      this.ports.warn({ err: error, users: hand.size }, "a batch could not be written: its users are tried one by one");
      for (const [userId, own] of hand) await this.write(new Map([[userId, own]]));
    }
  }

  /**
   * Gifts are nearly always new, and each leaves a row with its unique business id: so a batch of gifts is first written
   * without looking for earlier rows. Where the unique key finds one the transaction is undone, and the second attempt
   * looks first.
   */
  private async commit(commands: readonly Command[], attempt = 1): Promise<Decision> {
    const look = attempt > 1 || commands.some(({ kind }) => kind !== "gift");
    try {
      const { accounts, decision } = await this.ports.transaction((tx) => this.decideAndWrite(tx, commands, look));
      this.ports.committed(accounts, decision);
      return decision;
    } catch (error) {
      if (isDuplicateKey(error) && attempt < maxAttempts) {
        this.counters.repeats++;
        return this.commit(commands, attempt + 1);
      }
      throw error;
    }
  }

  private async decideAndWrite(tx: Transaction, commands: readonly Command[], lookForPriors: boolean) {
    const accounts = await lockAccounts(tx, [...new Set(commands.map(({ userId }) => userId))]);
    const priors = lookForPriors ? await readPriors(tx, tradeIdsOf(commands), debtIdsOf(commands)) : noPriors;
    const decision = decide(accounts, priors, commands);
    await insertTrades(tx, decision.trades);
    await insertDebts(tx, decision.debts);
    await updateAccounts(tx, decision.changed);
    await insertPendingIncomes(tx, decision.incomes);
    await this.ports.alsoWrite(tx, commands, decision);
    const changed = new Map(decision.changed.map((account) => [account.userId, account]));
    return { decision, accounts: [...accounts.values()].map((account) => changed.get(account.userId) ?? account) };
  }
}

function tradeIdsOf(commands: readonly Command[]): string[] {
  return [...new Set(commands.flatMap((command) => ("bizId" in command ? [command.bizId] : [])))];
}

function debtIdsOf(commands: readonly Command[]): string[] {
  return [
    ...new Set(
      commands.flatMap((command) => {
        if (command.kind === "refund") return [command.bizId];
        return command.kind === "recharge" ? [debtPaymentId(command.bizId)] : [];
      }),
    ),
  ];
}
