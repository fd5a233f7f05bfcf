import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import type { Database } from "./database.ts";
import { lockWaitTimeout } from "./server-errors.ts";

/** Error codes of a repeated statement of which the first run had its effect: the column, index or constraint is there, or gone. */
const doneBefore: ReadonlySet<unknown> = new Set([
  1060, // ER_DUP_FIELDNAME
  1061, // ER_DUP_KEYNAME
  1091, // ER_CANT_DROP_FIELD_OR_KEY
  3940, // ER_CONSTRAINT_NOT_FOUND
]);

/** Whether another transaction held a lock or the table for too long. */
export const isLockTimeout = (error: unknown): boolean => codeOf(error) === lockWaitTimeout;

/** The server's number of an error, also of one that became `unavailable`. */
export const codeOf = (error: unknown) => {
  const { errno, data } = (error ?? {}) as { errno?: unknown; data?: { errno?: unknown } };
  return errno ?? data?.errno;
};

/**
 * Runs a statement of a migration beside running nodes. It waits for their locks only for `migrationLockWaitS` at a
 * time, since their later statements on the table wait behind it, and tries again after a pause. `database` has one
 * connection. `isRepeat`: an earlier try of the same migration did not end, so what the statement does may be done.
 * @throws the driver's error; that of the lock wait after `migrationLockTries`
 */
export async function runDdl(database: Database, statement: string, isRepeat: boolean): Promise<void> {
  const { migrationLockTries: tries, migrationLockPauseMs: pauseMs, migrationLockWaitS: waitS } = limits.mysql;
  for (let attempt = 1; ; attempt++)
    try {
      await database.run("SET SESSION lock_wait_timeout = ?, SESSION innodb_lock_wait_timeout = ?", [waitS, waitS]);
      await database.run(statement);
      return;
    } catch (error) {
      if (isRepeat && doneBefore.has(codeOf(error))) return;
      if (codeOf(error) !== lockWaitTimeout || attempt >= tries) throw error;
      await pause(pauseMs);
    }
}
