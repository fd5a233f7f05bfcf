export const platformLimits = Object.freeze({
  /** API keys that are not revoked. Each gateway node holds a copy of them. */
  keysMax: 5_000,
  keyNameChars: 100,
  /** Keys in one answer to a gateway that reads its copy. */
  keysPerPage: 500,
  /** How often each gateway node asks whether the keys have changed, and how long one call of it may take. */
  keysPollMs: 250,
  keysCallMs: 2_000,
  /** A gateway node whose copy is older refuses requests of the server API with `unavailable`. */
  keysStaleMs: 10_000,
  /** Requests of one key in a minute, unless the key has a number of its own; and gifts that it sends. */
  requestsPerKeyPerMinute: 6_000,
  giftsPerKeyPerMinute: 240_000,
  requestsPerKeyPerMinuteMax: 10_000_000,
  /** Requests of one address in a minute that have no valid key; beyond it they are answered 429. */
  failuresPerAddressPerMinute: 60,
  /** Keys that have a label of their own in metrics; the others share one. */
  keysInMetrics: 100,

  /** The requests of one call of `platform.begin` or `platform.finish`, and the calls of each that a gateway runs at once. */
  writesPerCall: 100,
  callsInFlight: 3,
  /**
   * How long such a call may take, and a request may wait for it. A node that does not answer in time is left out for a
   * while, and the call is made once more.
   */
  writeCallMs: 2_000,
  writeWaitMs: 4_000,
  nodeLeftOutMs: 5_000,
  /** The rows of one INSERT, and the INSERTs that a platform node runs at once. */
  rowsPerInsert: 300,
  insertsInFlight: 2,
  /** How often an INSERT is built again after another node has written one of its keys. */
  insertTries: 5,
  /**
   * How long an attempt counts as under way: then a repeat takes over, and a repeat of a gift is refused for certain.
   * It is longer than a request takes while the servers answer; one that takes longer is run twice, which its business
   * ids make harmless.
   */
  leaseMs: 15_000,
  /** How long a repeat waits for a request that is under way, and how often it looks. */
  repeatWaitMs: 6_000,
  repeatLookMs: 100,
  /** Repeats that wait at a gateway node; beyond it they are answered 503 at once. */
  repeatsWaiting: 500,
  /** How often a request whose lease was taken over meanwhile begins again. */
  beginTries: 4,
  /** The bytes of an answer that is kept. No endpoint has longer ones. */
  answerBytes: 16_384,
  /** How long answers are kept. A repeat within 7 days gets the first answer; a day more for clocks and outages. */
  answersKeptMs: 8 * 24 * 3_600_000,
  /** How often they are deleted, in statements of so many rows, on one node at a time. */
  purgeEveryMs: 60_000,
  purgeRows: 1_000,
  purgeLeaseMs: 30_000,

  /** The coins of one account's adjustments in a span of time that need no other person, where FOUR_EYES_COINS is unset. */
  fourEyesCoins: 10_000,
  fourEyesSpanMs: 24 * 3_600_000,
  /** How long a person may take to decide on a proposal. */
  proposalMs: 72 * 3_600_000,
  /** How long the platform service keeps a counted move of staff: longer than `proposalMs`, since an approval renews it. */
  staffMovesKeptMs: 96 * 3_600_000,
  /** An order that is still pending so long after it was written is carried out by the job: longer than a call takes. */
  firstTryAgainMs: 10_000,
  /** How long the job waits after a try, twice as long after each of the next ones, up to the most. */
  tryAgainMs: 2_000,
  tryAgainMsMax: 15_000,
  /** How often the job looks, the orders of a round, and how long its lease lasts: longer than a round. */
  ordersEveryMs: 1_000,
  ordersPerRound: 50,
  ordersLeaseMs: 30_000,
  /** With an order that has been pending for longer the service is degraded. */
  pendingLateMs: 2 * 60_000,
});
