/** Errors of the server that decide what becomes of a transaction or snapshot. */

/**
 * Errors after which nothing of the transaction is left, also where they come from its COMMIT: a deadlock, as which
 * Galera reports a transaction that does not fit to those of other nodes, and the same of Group Replication.
 */
const rolledBack: ReadonlySet<unknown> = new Set([
  1213, // ER_LOCK_DEADLOCK
  3101, // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
]);
export const lockWaitTimeout = 1205;
/** ER_TABLE_DEF_CHANGED: a snapshot of before an ALTER reads the table for the first time. */
export const tableChanged = 1412;

/** The server's number of an error. */
export const numberOf = (error: unknown) => (error as { errno?: unknown } | null)?.errno;
export const isRolledBack = (error: unknown) => rolledBack.has(numberOf(error));

/** Whether another transaction held a lock for too long, or on Galera came first. */
export const isLockedOut = (error: unknown) => isRolledBack(error) || numberOf(error) === lockWaitTimeout;

/** Whether an error is an answer of a running server, not the end of the connection. */
export function isAnswer(error: unknown): boolean {
  const { sqlState, fatal } = (error ?? {}) as { sqlState?: unknown; fatal?: unknown };
  return sqlState !== undefined && fatal !== true;
}

/** Whether an insert found a row with the same unique key. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { errno?: number } | null)?.errno === 1062;
}
