export const walletLimits = Object.freeze({
  buckets: 32,
  batchCommands: 1_500,
  batchesInFlight: 3,
  queuedCommands: 100_000,
  /**
   * A command that has waited for this share of CALL_TIMEOUT_MS is not begun: its caller would give up before the
   * commit.
   */
  staleShareOfTimeout: 0.5,
  commandsPerCall: 2_000,
  fundsCacheMs: 2_000,
  fundsCacheEntries: 100_000,
  accountsPerCall: 500,
  /**
   * The bounds of a round of the roll-up: pending rows, and entries of anchors after which it takes no further row.
   */
  incomeRoundRows: 500,
  incomeRoundEntries: 20_000,
  incomeRollupEveryMs: 1_000,
  incomeLeaseMs: 5_000,
  /** Income that waits longer than this for its roll-up is late, and the wallet reports itself as degraded. */
  incomeLateMs: 60_000,
  incomeAnchorsPerStatement: 1_000,
  debtOrdersShown: 50,
  /**
   * Gifts of one user that fail at the charge for too few coins, each a row of the ledger: on average, at once, and
   * the users of whom a node knows it. Beyond them the user's gifts are refused at acceptance.
   */
  failedGiftsPerMinute: 12,
  failedGiftsBurst: 60,
  failedGiftUsers: 100_000,
  attributionPageRows: 1_000,
  attributionRowsMax: 20_000,
  holdGiftsPerInsert: 1_000,
  /** The anchors whose shares one call holds or releases, where they are named: as many as an answer has. */
  heldAnchorsPerCall: 2_000,
  /**
   * Databases by user: the buckets that users are in, which never change (a prime: ids are spread by their remainder), and
   * the most servers. How often a node reads which server has which bucket, how long it waits before it asks again about
   * one that moves, and how many accounts one transaction of a move carries.
   */
  storeBuckets: 251,
  serversMax: 16,
  bucketsReadMs: 1_000,
  /** How often a node looks whether it lacks a server. */
  serversReadMs: 10_000,
  bucketRetryMs: 50,
  /** How long other users of a call or batch wait for one whose bucket is closed. Moves mostly take less. */
  closedBucketMs: 1_000,
  /** How often map and gates of buckets are compared, the pause before a second look, and when a comparison is late. */
  gatesEveryMs: 15_000,
  gatesAgainMs: 1_000,
  gatesLateMs: 120_000,
  /** A bucket that has been closed for longer is reported: its users are answered 503. */
  bucketClosedLateMs: 30_000,
  moveAccounts: 500,
  /** How often a move tries to close a gate between two transactions, and the pause between, before the next round does. */
  closeAttempts: 500,
  closeRetryMs: 10,
  /**
   * A repair of gates: how often it tries to lock one between two transactions, up to how many accounts of a bucket it looks
   * for rows, and how many users it names for each server.
   */
  repairAttempts: 200,
  repairAccounts: 100_000,
  repairUsersShown: 20,
  addServersLockMs: 30_000,
  moveEveryMs: 1_000,
  moveLeaseMs: 15_000,
  /** The longest name of a server: it stands behind the service in the auditor's tables. */
  serverNameChars: 12,
  /** The longest signed order of the platform. */
  platformOrderChars: 1_000,
});
