export const booksLimits = Object.freeze({
  keysMax: 64,
  /** How often the heads of the chains of seals are joined. */
  checkpointEveryMs: 60_000,
  checkpointLeaseMs: 30_000,
  /** The most heads of one checkpoint; the others follow in the next one at once. */
  checkpointHeads: 1_000,
  /** A seal that is committed later than this after its time is joined with the next seal of its chain. */
  checkpointOverlapMs: 5 * 60_000,
  /** A seal that is older than this and in no checkpoint is a difference. */
  checkpointLateMs: 3 * 60_000,
  /** How many of the latest checkpoints are read to leave out heads that they have. */
  checkpointsCompared: 10,
  /** How many rows that no key of the service has made are passed over to find its latest checkpoint. */
  checkpointsPassed: 1_000,
  /** How often the auditor compares what is new. */
  roundEveryMs: 10_000,
  auditorLeaseMs: 60_000,
  /** A full pass starts this long after the last one, or after `passRestFactor` times what that took, whichever is longer. */
  passEveryMs: 10_000,
  passRestFactor: 10,
  /** Up to so many rows of all checks of a pass (a gift is in six to eight), passes follow each other without rests. */
  smallRows: 250_000,
  /** The longest time between the starts of two full passes. */
  passEveryMsMax: 24 * 3_600_000,
  /** A full pass that is older than this is late, and the auditor reports itself as degraded. */
  passLateMs: 48 * 3_600_000,
  /** A complete round that is older than this is late, and the auditor reports itself as degraded. */
  roundLateMs: 120_000,
  /** A check that a statement's time-out ends so many times in a row is a difference, where the databases answer. */
  unavailableRuns: 3,
  /** After a page the comparison rests this many times as long as the page took. */
  pageRestFactor: 4,
  pageRestMsMax: 2_000,
  passesKept: 1_000,
  /** For so long after its start an auditor takes missing databases for those of a system that starts. */
  startingMs: 30_000,
  connections: 2,
  /** What the comparison reads at once: seals, rows of a ledger, accounts. */
  pageSeals: 200,
  /** After so many rows of seals a page takes no further seal. */
  pageSealedRows: 20_000,
  /** How far the ids of one seal's rows may reach, for a search. */
  sealIdsMax: 200_000,
  /** Of closed months a part of the rows is read each day: parts of so many ids, all of them within so many days. */
  closedRowsPart: 100_000,
  closedRowsDays: 28,
  pageRows: 5_000,
  pageAccounts: 500,
  pageCheckpoints: 200,
  /** The rows whose shares the database adds up in one statement. */
  sharesRows: 50_000,
  /** Archived rows are compared with those of other books that were written at most so long before or after them. */
  archivedNearMs: 2_000,
  /** The most rows that are read so; the others are looked up. */
  archivedNearRows: 50_000,
  /** The rows of a segment whose texts are read at once. */
  segmentTexts: 10_000,
  /** For so long after they were last seen to grow, rounds look at the ends of chains and at checkpoints again. */
  headsAgainMs: 10 * 60_000,
  /** With a time given, orders are compared that were made so long before it: they may be paid later. */
  ordersAgainMs: 3_600_000,
  /** Bytes of the texts of a seal's rows, which the database joins for their digest. */
  digestBytes: 16 * 1024 * 1024,
  statementTimeoutMs: 60_000,
  /** The new rows that a round reads again, since their neighbours may be committed later. */
  lateCommitMs: 5_000,
  /** What is on its way between two services (redelivered, in an outbox) for less than this is no difference. */
  underWayMs: 2 * 60_000,
  /**
   * For this time after an operator changed a price the old one also counts as right, e.g. in an order that is being
   * made. Longer than `gift.catalogueCacheTtlMs`.
   */
  termsGraceMs: 2 * 60_000,
  /** A difference counts once it is found a second time, this much later. */
  secondLookMs: 1_500,
  /** The most differences that are looked for in one page, and reported of one pass. */
  findingsPerPage: 100,
  findingsPerPass: 1_000,
  /** The anchors whose sums a pass holds in memory at a time. */
  anchorsAtOnce: 200_000,
  detailChars: 300,
});
