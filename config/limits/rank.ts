export const rankLimits = Object.freeze({
  /** The entries of a list that is answered. */
  listed: 100,
  /** Beyond this place `me.rank` is null: so many entries are counted at the most. */
  placesCounted: 10_000,
  /** A place is counted from the last fence before it on: each so many entries there is one, kept like a list. */
  fenceEntries: 250,
  /** How old an answered list may be, beside what is not counted yet. */
  listCacheMs: 400,
  listsCached: 2_000,
  fencesCached: 2_000,
  /**
   * The consumer's batches: the events of one, and how long one that is not full waits after the start of the last. Of
   * busy senders a large batch has one sum for many gifts, and of busy anchors and rooms too.
   */
  eventsPerBatch: 32,
  gather: Object.freeze({ ms: 250, busy: Object.freeze({ perSecond: 10, ms: 500 }) }),
  /** The gifts of one transaction: a batch of events is counted in several. */
  giftsPerTransaction: 1_500,
  /** The rows of one statement that adds coins. */
  rowsPerStatement: 1_000,
  /** The record ids of one row of t_rank_counted. */
  idsPerChunk: 65_536,
  /** How many of these rows one transaction locks at the most. */
  chunksPerBatch: 64,
  /** How long an answer waits for names and avatars; without them it goes out incomplete. */
  namePatienceMs: 250,
  /** The database's clock is read again after this time. */
  clockReadEveryMs: 10_000,
  /** Boards of periods that ended longer ago than this are removed, and gifts of such periods are not added to them. */
  daysKeptMs: 7 * 24 * 3_600_000,
  weeksKeptMs: 28 * 24 * 3_600_000,
  monthsKeptMs: 62 * 24 * 3_600_000,
  /** The board of a room that is not live is removed this long after its last gift. */
  roomsKeptMs: 30 * 24 * 3_600_000,
  /** A room that is live then is looked at again after this time. */
  liveRoomAgainMs: 24 * 3_600_000,
  maintenanceEveryMs: 10 * 60_000,
  maintenanceLeaseMs: 60_000,
  /** The rows that one statement removes. */
  removedRows: 2_000,
  roomsPerRound: 100,
  /** How often a node looks for a rebuild or a verification that was asked for. */
  jobsEveryMs: 1_000,
  jobLeaseMs: 15_000,
  /** The sums of users on boards that a verification holds in memory; more are compared in several passes. */
  verifiedEntries: 600_000,
  /** The most passes. */
  verifiedParts: 16_384,
  verifiedPageRows: 5_000,
  differencesKept: 50,
  /** A verification looks again at gifts that are not counted: after this time, and at so many at the most. */
  secondLookMs: 5_000,
  notCountedKept: 10_000,
  /** From this lag behind settlement on a node reports itself as degraded. */
  lagDegradedMs: 5_000,
});
