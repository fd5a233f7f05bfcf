/** Backup and restore: scripts/backup/ and scripts/restore/. */
export const backupLimits = {
  /** An INSERT of a dump is ended at this many bytes; the server's max_allowed_packet is 16 MB or more by default. */
  statementBytes: 1_000_000,
  /** A part of a stream's snapshot: below the largest message of nats-server, 1 MB by default. */
  streamChunkBytes: 256_000,
  /** So long a stream's snapshot or restoring may stand still before it counts as failed. */
  streamSilenceMs: 30_000,
  /** So long the server may take to make a stream, once it has all parts. */
  streamMadeMs: 1_800_000,
  /** So long a backup of several servers waits until no bucket of users moves, and how often it looks. */
  movesWaitMs: 120_000,
  movesLookMs: 1_000,
  /** How often the queues are taken again where dead letters went back to them meanwhile. */
  streamRounds: 5,
  /** So long a restore waits for the last pulls of nodes that were just stopped. */
  stoppedWaitMs: 10_000,
  /** Events that are read from EVENTS at once. */
  eventsPerFetch: 50,
  /** The server removes a restore's reader of a stream that has not asked for so long. */
  readerIdleMs: 300_000,
  /** Gifts, users and rooms that are written by one statement, or commands that the ledger gets at once. */
  replayBatch: 500,
  /** Databases that a restore loads at once. */
  loadedAtOnce: 4,
  /** By so much every counter of ids goes beyond what is known: ids that were given out meanwhile come never again. */
  idMargin: 1_000_000,
  /** An event with an id beyond this is refused: twice as many are safe numbers, and counters go on behind it. */
  idMost: 2 ** 52,
  /** The times that an event may have: from the first day that a system could run on, to so long after it was stored. */
  firstTimeMs: Date.UTC(2025, 0, 1),
  clockAheadMs: 86_400_000,
  /** The clocks of the machine that backs up and of nats-server may differ by so much. */
  clockMarginMs: 300_000,
  /** How often a line tells how far a long step is. */
  progressEveryMs: 2_000,
  /** So many lost or unclear things of a kind are printed; the report file has all of them. */
  shownOfKind: 20,
};
