import { fail, isUnavailable } from "../../broker/failure.ts";
import type { Hold } from "../../mixins/archive/filters.ts";
import { KeyedQueue } from "../../mixins/keyed-queue.ts";
import { isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { Sealing } from "../../mixins/seals/seal-chains.ts";
import { insertPendingIncomes } from "./income/income-store.ts";
import { decide } from "./ledger.ts";
import type { Command, Decision, Outcome } from "./posting.ts";
import { priorsOf } from "./priors.ts";
import { type Batch, type QueuedCommand, Submission } from "./submission.ts";
import { insertDebts, insertTrades, lockAccounts, updateAccounts } from "./wallet-store.ts";
import { type Elsewhere, NotTheseUsers, type WriterLimits, type WriterPorts } from "./writer-ports.ts";

/** What one transaction decides and writes. */
interface Work {
  readonly commands: readonly Command[];
  /** Whether the earlier rows of their business ids are read. */
  readonly withPriors: boolean;
  readonly elsewhere: Elsewhere | undefined;
  readonly hold: Hold;
}

/** The third attempt is for a business id that another user's batch wrote between our read and our write. */
const maxAttempts = 3;

/**
 * Group commit: the waiting commands of many users are decided and written in one transaction. Commands that arrive
 * while it runs are the next one. There is no timer: an idle writer commits a command at once, a busy one pays for a
 * commit once in hundreds of commands. Several transactions may run at once, never two with the same user.
 *
 * The states of a command; the commands of one user that are in a batch move together:
 *
 *   waiting  in its user's queue            -> locking   `pump` takes it into a batch; the user is busy
 *                                           -> answered  rejected with unavailable, after `staleMs`; or dropped, since
 *                                                        another command of its submission was rejected
 *   locking  the batch asks for the locks   -> writing   the user's lock is acquired, or was not for `lockWaitMs`
 *                                           -> parked    another node holds it
 *   parked   until the lock is asked again  -> waiting   after `lockRetryMs`, at the head of the queue
 *   writing  in the batch's transaction     -> answered  committed, or the database is unavailable
 *                                           -> alone     the database refused the batch
 *   alone    in a transaction of one user   -> answered  committed, or rejected with the error
 *
 * The user is no longer busy once her commands are answered or waiting again.
 *
 * A stale command is not begun: its caller gives up before the commit, and submits it again. Writing it would take the
 * time of the repeat, which would then be late as well, and a writer that fell behind once would stay behind.
 */
export class LedgerWriter {
  private readonly queue = new KeyedQueue<QueuedCommand>();
  private readonly ports: WriterPorts;
  private readonly bounds: WriterLimits;
  private inFlight = 0;
  /** Commands of users whose locks are held elsewhere. */
  private parked = 0;
  private pumpScheduled = false;
  private idle: () => void = () => {};
  readonly counters = { commands: 0, splits: 0, repeats: 0 };

  constructor(ports: WriterPorts, bounds: WriterLimits) {
    this.ports = ports;
    this.bounds = bounds;
  }

  /** Waiting and parked commands. */
  get waiting(): number {
    return this.queue.size + this.parked;
  }

  /** Whether so many more commands may be submitted. Where not, the caller fails with `unavailable`. */
  hasRoomFor(commands: number): boolean {
    return this.waiting + commands <= this.bounds.queuedCommands;
  }

  /**
   * Resolves once the command's outcome is committed; a repeat resolves to the first outcome. Rejects where the command
   * was not written (also with unavailable, after it waited for `staleMs`), or where that is not known (the database
   * was away): the same command may be submitted again.
   */
  async submit(command: Command): Promise<Outcome> {
    const [outcome] = await this.submitAll([command]);
    return outcome as Outcome;
  }

  /**
   * As `submit`, for several commands: the outcomes have their order, and the commands of one user are written in it.
   * Where it rejects some may be written: submit all of them again.
   */
  submitAll(commands: readonly Command[]): Promise<Outcome[]> {
    const of = new Submission(commands);
    const arrivedAt = this.ports.now();
    for (const [index, command] of commands.entries())
      this.queue.put({ key: command.userId, command, arrivedAt, of, index, waitsForLock: false });
    this.pumpSoon();
    return of.answer;
  }

  /** Resolves once no command waits or is in a transaction. */
  async drain(): Promise<void> {
    while (this.inFlight > 0 || this.waiting > 0)
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
  }

  /** Delayed to the end of this turn of the event loop, so that all commands of one call are in the same batch. */
  private pumpSoon(): void {
    if (this.pumpScheduled || this.inFlight >= this.bounds.batchesInFlight) return;
    this.pumpScheduled = true;
    queueMicrotask(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.inFlight < this.bounds.batchesInFlight && this.queue.hasReady) {
      const batch = this.withoutStale(this.queue.take(this.bounds.batchCommands));
      if (batch.size === 0) continue;
      this.inFlight++;
      void this.carryOut(batch).finally(() => {
        this.inFlight--;
        this.pump();
        this.idle();
      });
    }
  }

  /**
   * Rejects the stale commands of a batch, and returns the rest, without those whose submission is rejected. A command
   * that waited for a lock is not stale: it is written without the lock in the end.
   */
  private withoutStale(batch: Batch): Batch {
    const now = this.ports.now();
    const fresh: Batch = new Map();
    let rejected = 0;
    for (const [userId, commands] of batch) {
      for (const { arrivedAt, waitsForLock, of } of commands) {
        if (waitsForLock || now - arrivedAt < this.bounds.staleMs) continue;
        rejected++;
        of.reject(fail("unavailable", { what: "the ledger is behind", waitedMs: now - arrivedAt }));
      }
      const left = commands.some(({ of }) => of.isRejected) ? commands.filter(({ of }) => !of.isRejected) : commands;
      if (left.length > 0) fresh.set(userId, left);
      else this.queue.done(userId);
    }
    const text = "the ledger is behind: commands that waited too long are rejected, and their callers repeat them";
    if (rejected > 0) this.ports.warn({ commands: rejected, waiting: this.waiting }, text);
    return fresh;
  }

  /** Never rejects: every command is answered or waits again. */
  private async carryOut(batch: Batch): Promise<void> {
    const hold = await this.ports.acquire([...batch.keys()].map((userId) => `wallet:${userId}`));
    const mine: Batch = new Map();
    for (const [userId, commands] of batch) {
      if (hold.acquired.has(`wallet:${userId}`) || this.waitedTooLong(commands)) mine.set(userId, commands);
      else this.park(userId, commands);
    }
    try {
      if (mine.size > 0) await this.write(mine);
    } finally {
      await hold.unlock();
      for (const userId of mine.keys()) this.queue.done(userId);
    }
  }

  /** A node that died keeps its locks until their TTL. Commands do not wait for that, since the row locks decide. */
  private waitedTooLong(commands: readonly QueuedCommand[]): boolean {
    const late = this.ports.now() - (commands[0] as QueuedCommand).arrivedAt > this.bounds.lockWaitMs;
    if (late) {
      this.ports.warn({ userId: commands[0]?.key }, "a user's lock was not free in time: written without it");
    }
    return late;
  }

  private park(userId: string, commands: QueuedCommand[]): void {
    this.parked += commands.length;
    for (const one of commands) one.waitsForLock = true;
    setTimeout(() => {
      this.parked -= commands.length;
      this.queue.putBack(userId, commands);
      this.pump();
      // Where all of them were dropped no batch starts, so none will end and do this.
      this.idle();
    }, this.bounds.lockRetryMs);
  }

  private async write(batch: Batch): Promise<void> {
    const queued = [...batch.values()].flat();
    try {
      const decision = await this.commit(queued.map(({ command }) => command));
      this.counters.commands += queued.length;
      queued.forEach(({ of, index }, place) => {
        of.answered(index, decision.outcomes[place] as Outcome);
      });
    } catch (error) {
      if (error instanceof NotTheseUsers) return this.writeOthers(batch, error);
      if (isUnavailable(error) || batch.size === 1) {
        for (const { of } of queued) of.reject(error);
        return;
      }
      // The commands of one user cannot be written. Those of the others can, in transactions of their own.
      this.counters.splits++;
      this.ports.warn({ err: error, users: batch.size }, "a batch was refused: its users are written one by one");
      for (const [userId, own] of batch) await this.write(new Map([[userId, own]]));
    }
  }

  /** Rejects the commands of the users that the error names, and writes the rest. */
  private async writeOthers(batch: Batch, { users, why }: NotTheseUsers): Promise<void> {
    const rest: Batch = new Map();
    for (const [userId, own] of batch) {
      if (!users.has(userId)) rest.set(userId, own);
      else for (const { of } of own) of.reject(why);
    }
    if (rest.size > 0) await this.write(rest);
  }

  /**
   * Gifts are nearly always new, and each leaves a row with its unique business id. So a batch of gifts is first
   * written without reading earlier rows. Where the unique key finds one, the transaction is rolled back and the second
   * attempt reads them. The unique key does not know archived rows: ids that a filter of the archive may have are always
   * looked up. A transaction that finds newer filters than this node has is rolled back and run again with them.
   */
  private async commit(commands: readonly Command[], attempt = 1): Promise<Decision> {
    const withPriors = attempt > 1 || commands.some(({ kind }) => kind !== "gift");
    const elsewhere = await this.ports.elsewhere?.(commands);
    try {
      const { accounts, decision } = await this.ports.archive.holding((hold) =>
        this.ports.transaction((tx, sealing) =>
          this.decideAndWrite(tx, sealing, { commands, withPriors, elsewhere, hold }),
        ),
      );
      this.ports.committed(accounts, decision);
      return decision;
    } catch (error) {
      if (!isDuplicateKey(error) || attempt >= maxAttempts) throw error;
      this.counters.repeats++;
      return this.commit(commands, attempt + 1);
    }
  }

  private async decideAndWrite(tx: Transaction, sealing: Sealing, { commands, withPriors, elsewhere, hold }: Work) {
    // First of all: no row leaves the ledger unknown to this node until the commit.
    const held = await hold(tx);
    await elsewhere?.requireHere(tx);
    const accounts = await lockAccounts(tx, [...new Set(commands.map(({ userId }) => userId))], sealing);
    const own = await priorsOf(tx, commands, withPriors, held);
    const priors = elsewhere && elsewhere.priors.size > 0 ? new Map([...elsewhere.priors, ...own]) : own;
    const decision = decide(accounts, priors, commands);
    await insertTrades(tx, decision.trades, sealing);
    await insertDebts(tx, decision.debts, sealing);
    await updateAccounts(tx, decision.changed);
    await insertPendingIncomes(tx, decision.incomes);
    await this.ports.writeEvents(tx, commands, decision);
    const changed = new Map(decision.changed.map((account) => [account.userId, account]));
    return { decision, accounts: [...accounts.values()].map((account) => changed.get(account.userId) ?? account) };
  }
}
