import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import type { Transaction } from "../../mixins/mysql/database.ts";
import type { LockHold } from "../../mixins/redis-lock.mixin.ts";
import type { Sealing } from "../../mixins/seals/seal-chains.ts";
import type { Account, Command, Decision } from "./posting.ts";

/** What the ledger writer needs of its surroundings. */
export interface WriterPorts {
  /** Runs `work` in a transaction; the rows that it notes are sealed in the same one. */
  transaction<T>(work: (tx: Transaction, sealing: Sealing) => Promise<T>): Promise<T>;
  acquire(keys: readonly string[]): Promise<LockHold>;
  /** What is known of trades that left the ledger. */
  readonly archive: Pick<ArchiveFilters, "hold" | "load" | "suspects">;
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
