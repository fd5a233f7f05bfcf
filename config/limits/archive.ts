const second = 1_000;
const hour = 3_600 * second;

/** The archive of closed months (mixins/archive/). */
export const archiveLimits = Object.freeze({
  /** Ids of a segment at the most, so about as many rows: what one partition has, and one filter is of. */
  segmentRows: 4_000_000,
  /** Bits of a filter for each of its ids, and how many of them an id sets: about one id in 800 that is in none seems to be. */
  filterBitsPerId: 14,
  filterHashes: 9,
  /** Of a filter in one row: a statement with it must fit into a packet of the server. */
  filterPartBytes: 1_048_576,
  /** Where ARCHIVE_FILTER_MB is unset. Filters that a node of wallet or gift keeps in memory: of about 600 million rows. */
  filterMb: 1_024,
  /** How often a node asks whether there are newer filters. */
  pollMs: 2 * second,
  /** Filters that were asked for longer ago say nothing any more: the archive is asked. */
  freshMs: 10 * second,
  /** From the time a segment is filtered to the first row that is moved: longer than `freshMs`. */
  settleMs: 30 * second,
  /** Rollbacks in a row of a transaction that found newer filters. */
  filterTries: 10,
  /** No row that is younger is ever moved: who reads later rows alone need not ask the archive. */
  youngestMs: 12 * hour,
  /** Rows that one transaction moves. */
  sliceRows: 2_000,
  /** Rows that one statement reads for a filter and a digest. */
  pageRows: 10_000,
  /** Rows moved in a second at the most; and between slices at least as long a rest as the slice took. */
  rowsPerSecond: 10_000,
  restMs: Object.freeze({ least: 20, most: 5 * second }),
  /** Where ARCHIVE_AFTER_DAYS is unset. */
  afterDays: 10,
  /** A closed month that is due for longer is late: the archiver says that it is degraded, and an alert fires. */
  lateMs: 7 * 24 * hour,
  /** How often the job looks whether a month is due, and after a failure. */
  everyMs: 60 * second,
  /** Longer than the counting of a segment takes. Where two work all the same nothing is done twice. */
  leaseMs: 180 * second,
  /**
   * For so long a step that takes the exclusive lock of the revision waits for transactions of the ledger; later ones wait
   * behind it meanwhile. And the pause before its next try.
   */
  lockWaitS: 1,
  lockPauseMs: 10 * second,
  /** The pause after a partition could not be made, since a transaction held the archive table. */
  partitionPauseMs: 30 * second,
  /** A transaction that runs for longer would keep a partition from being made. */
  longTransactionS: 10,
  /** Ids that one statement looks up. */
  lookupIds: 400,
  /** Of the archiver to each database. */
  connections: 3,
});
