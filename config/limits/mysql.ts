export const mysqlLimits = Object.freeze({
  poolConnections: 8,
  poolQueueLength: 2_000,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 15_000,
  transactionRetries: 8,
  /** A transaction of a process that hangs or is cut off is ended after so many seconds. MariaDB alone can do so. */
  idleTransactionS: 10,
  /** A connection is checked for read_only before a use when its last check is older than this. */
  checkEveryMs: 1_000,
  checkTimeoutMs: 3_000,
  /** A pool closes all its connections at most this often. */
  emptyEveryMs: 1_000,
  /**
   * Where a URL names several servers: how often all of them are asked how they are, how long one may take to answer,
   * and in how many looks in a row an earlier one has to answer before it is used again.
   */
  lookAtServersMs: 2_000,
  serverProbeMs: 2_000,
  returnAfterLooks: 3,
  /**
   * The used server counts as read-only where a second look says so too, at least so long after the first; and as silent
   * where so many looks in a row were greeted and got no further answer.
   */
  readOnlyAfterMs: 500,
  slowLooks: 3,
  /**
   * Of a further server with users' rows: how often it is looked at, after which silence it is away, and how long the start
   * of a node waits for it.
   */
  presenceLookMs: 500,
  presenceLostMs: 2_000,
  presenceStartMs: 4_000,
  /** The longest use of Sequelize's connections, which read the catalogue. */
  catalogueConnectionMs: 1_000,
  batchLoader: Object.freeze({ keys: 500, queries: 2 }),
  /**
   * The lease of a migration, which is renewed while a statement runs; and how long a process waits for another
   * one's.
   */
  migrationLeaseMs: 15_000,
  migrationWaitMs: 60_000,
  migrationPollMs: 200,
  /**
   * A statement of a migration waits for the locks of running transactions, and what comes after waits behind it: so it
   * waits for a second, and then again after a pause in which the others run.
   */
  migrationLockWaitS: 1,
  migrationLockPauseMs: 2_000,
  migrationLockTries: 100,
});
