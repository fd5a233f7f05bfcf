import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import type { Transaction } from "../../mixins/mysql/database.ts";
import type { LockHold } from "../../mixins/redis-lock.mixin.ts";
import type { Sealing } from "../../mixins/seals/seal-chains.ts";
import type { Account, Command, Decision, Outcome, Prior } from "./posting.ts";

/** A server does not write rows of a user: her bucket moves, or has moved. Whoever gets it asks the map again. */
export class BucketElsewhere extends Error {
  constructor(userId: string) {
    super(`user ${userId} is on another server`);
  }
}

/** Of a batch, what some users' commands are rejected with; nothing of it was written. Those of the others can be. */
export class NotTheseUsers extends Error {
  readonly users: ReadonlySet<string>;
  readonly why: unknown;

  constructor(users: ReadonlySet<string>, why: unknown) {
    super(`${users.size} users' commands cannot be written here`, { cause: why });
    this.users = users;
    this.why = why;
  }
}

/** What a batch must know of other servers, where ledgers are on several. */
export interface Elsewhere {
  /** The earlier rows of the commands' business ids on servers that their users' buckets have left. */
  readonly priors: ReadonlyMap<string, Prior>;
  /** Before accounts are locked. @throws NotTheseUsers whose rows this server does not write */
  requireHere(tx: Transaction): Promise<void>;
}

/** What commands are given to: the ledger writer of one server, or that of several (buckets/split-writer.ts). */
export interface LedgerCommands {
  /** Waiting commands. */
  readonly waiting: number;
  readonly counters: { readonly commands: number; readonly splits: number; readonly repeats: number };
  hasRoomFor(commands: number): boolean;
  submit(command: Command): Promise<Outcome>;
  submitAll(commands: readonly Command[]): Promise<Outcome[]>;
  /** See submit-apart.ts; missing where there is one server. */
  submitApart?(commands: readonly Command[]): Promise<PromiseSettledResult<Outcome>[]>;
  drain(): Promise<void>;
}

/** What the ledger writer needs of its surroundings. */
export interface WriterPorts {
  /** Reads what is elsewhere; missing where there is one server. @throws NotTheseUsers of whom it cannot be read */
  elsewhere?(commands: readonly Command[]): Promise<Elsewhere>;
  /** Runs `work` in a transaction; the rows that it notes are sealed in the same one. */
  transaction<T>(work: (tx: Transaction, sealing: Sealing) => Promise<T>): Promise<T>;
  acquire(keys: readonly string[]): Promise<LockHold>;
  /** What is known of trades that left the ledger. */
  readonly archive: Pick<ArchiveFilters, "holding">;
  /** Writes the events of the decision in the same transaction. */
  writeEvents(tx: Transaction, commands: readonly Command[], decision: Decision): Promise<void>;
  /** Called after the commit, with the accounts as committed. */
  committed(accounts: readonly Account[], decision: Decision): void;
  now(): number;
  warn(about: object, text: string): void;
}

export interface WriterLimits {
  /** Commands of one transaction. */
  batchCommands: number;
  /** Transactions at once. */
  batchesInFlight: number;
  /** Waiting commands, of all users together. */
  queuedCommands: number;
  /** A command that has waited longer than this is not begun. */
  staleMs: number;
  lockWaitMs: number;
  lockRetryMs: number;
}
