export const webhookLimits = Object.freeze({
  /** Subscriptions of the installation. */
  subscriptions: 200,
  urlChars: 2_048,
  descriptionChars: 200,
  eventsPerWebhook: 64,
  /** How long the old secret signs beside the new one. */
  oldSecretMs: 24 * 3_600_000,

  /** The gifts of one call. */
  giftsPerCall: 100,
  /** The most bytes of a call's body. An event that makes a larger one becomes a dead letter. */
  bodyBytes: 512 * 1_024,
  /** The intake's batches: the events of one, and how long one that is not full waits after the start of the last. */
  eventsPerBatch: 32,
  gatherMs: 250,
  /** The deliveries that one transaction of the intake stores. */
  intakeRows: 5_000,
  /** The rows and bytes of one INSERT. */
  insertRows: 500,
  insertBytes: 4 * 2 ** 20,

  /** How long messages and deliveries are kept, whatever became of them. */
  keptMs: 7 * 24 * 3_600_000,
  /** The bytes of all bodies. Beyond it the oldest that have ended are removed; where all wait, new events are dropped. */
  keptBytes: 10 * 2 ** 30,
  /** Deliveries of one subscription that wait. Beyond it new ones are dropped. It is counted every few seconds. */
  waitingRows: 100_000,

  /** A try is at once, the next ones after these pauses; then it has failed. */
  pausesMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000],
  /** A pause is longer or shorter by up to this share of it, in percent. */
  jitterPercent: 10,
  /** Of an answer with Retry-After: a longer one counts as this long. */
  retryAfterMs: 3_600_000,
  /** The time limit of a try, from the connection to the end of the answer. */
  tryMs: 15_000,
  /** How much is read of an answer, and kept in the log. */
  answerBytes: 64 * 1_024,
  answerKeptBytes: 1_024,
  /** Calls under way to one subscription; until its first success on this node; and one alone while the last failed. */
  inFlight: 32,
  inFlightFirst: 4,
  /**
   * Calls under way on a node. Beyond it each subscription has `inFlightFirst`: so all of them together, though all hang,
   * stay within `limits.outgoing.calls`.
   */
  inFlightOfNode: 256,
  /** The bytes of all bodies under way on a node. Beyond it a subscription has one call under way. */
  inFlightBytes: 64 * 2 ** 20,
  /** Deliveries, without bodies, that a node holds of one subscription. */
  heldRows: 100,
  /** After failures alone for so long a subscription is switched off. */
  failingMs: 5 * 24 * 3_600_000,

  /** How often a node looks for due deliveries, and for the shortest time between two looks. */
  lookEveryMs: 250,
  lookAgainMs: 20,
  /** A subscription belongs to one node, which renews its lease. */
  leaseMs: 10_000,
  leaseEveryMs: 1_000,
  /** Outcomes that are written in one transaction. */
  outcomesPerWrite: 100,
  /** Keys of an ordered subscription whose next delivery is looked for in one statement. */
  keysPerLook: 500,
  /** Ordered subscriptions whose keys are looked for at the same time, and become due in one transaction. */
  keyLooks: 4,
  /** A look for keys that took long is made again after this many times its duration. */
  keysRestFactor: 20,

  /** How long calls under way may take to end while a node stops; and, once they are given up, to be so. */
  stopMs: 5_000,

  /** What waits is counted so often too. */
  maintenanceEveryMs: 5_000,
  maintenanceLeaseMs: 30_000,
  /** Rows that one statement removes, or makes again. */
  removedRows: 1_000,
  /** Deleted subscriptions of which one round removes rows. */
  deletedPerRound: 100,
  /** Deliveries that one call of `replay` makes again. */
  replayedRows: 10_000,
  /** From this age of the oldest due delivery on the service reports itself as degraded. */
  oldestDegradedMs: 5 * 60_000,
});
