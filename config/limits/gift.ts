export const giftLimits = Object.freeze({
  countMax: 9_999,
  priceMaxCoins: 1_000_000_000,
  catalogueCacheEntries: 1_000,
  catalogueCacheTtlMs: 90_000,
  catalogueCheckMs: 400,
  /** Gift ids that are known not to be in the catalogue, and for how long. */
  catalogueUnknownEntries: 10_000,
  catalogueUnknownMs: 1_000,
  anchorCacheMs: 500,
  /** Calls of a node to living-room at once; each asks for up to `room.anchorsPerCall` rooms. */
  anchorCalls: 4,
  shareCacheMs: 900,
  shareCacheEntries: 50_000,
  accountCacheMs: 500,
  accountCacheEntries: 10_000,
  nameChars: 60,
  urlChars: 300,
  /** The streams of the gift queue. Gifts are put into the first `sendPartitions` of them; all are settled. */
  partitions: 8,
  /** With fewer of them messages are larger; with more of them more gift nodes share the work. */
  sendPartitions: 4,
  settleBatch: 1_500,
  settleBatchesInFlight: 4,
  /** Of one node: the most gifts that wait or are being settled; running pulls may bring as many again. */
  settleHeldGifts: 9_000,
  /** Where records are on several servers: how old what is known of the buckets may be. */
  bucketServersFreshMs: 10_000,
  /** How long a call for them to the wallet may take. */
  bucketServersMs: 3_000,
  /** Concurrent inserts: the ids of records may be out of the order of their times by so much. */
  recordsBesideMs: 10_000,
  /** The least bytes of a gift in a message of the queue. A message with more gifts than fit is a dead letter. */
  queuedLeastBytes: 200,
  /**
   * While gifts arrive one after the other, a batch that is not full starts `ms` after the start of the one before
   * it, and `busy.ms` after it while `busy.perSecond` gifts a second or more arrive.
   */
  settleGather: Object.freeze({ ms: 25, busy: Object.freeze({ perSecond: 1_600, ms: 75 }) }),
  /** How many events have effects that wait for their rooms' ticks; each has the gifts of a batch. */
  effectEventsInFlight: 32,
  /** Gifts of one sender, gift and room that are no further apart are one streak. */
  comboGapMs: 5_000,
  /** The streaks that a node remembers (26 MB), and the orders without a record id whose repeats it recognizes. */
  combosRemembered: Object.freeze({ streaks: 100_000, orders: 100_000 }),
  /**
   * The gifts of one group. In a call a gift has at most 400 bytes, so that a group is well below `bus.listBytes`.
   */
  groupGifts: 500,
  /**
   * A gateway's groups that one gift node has not answered: `groupsInFlight` of those that were sent within the last
   * `groupFreshMs` (older ones wait for something that others do not need), and `groupsInFlightMax` in all.
   */
  groupsInFlight: 2,
  groupFreshMs: 250,
  groupsInFlightMax: 32,
  /**
   * Gifts that wait at a gateway for a group to one node; more are answered 503. Fewer than
   * `http.maxConcurrentRequests`, so that other requests get through.
   */
  groupWaitingGifts: 1_500,
  /** The same for one user, so that one user cannot fill the queue of all. */
  groupWaitingGiftsOfUser: 100,
  /** Gifts that a node is accepting; groups beyond it are answered 503. */
  acceptingGifts: 10_000,
  /** How often, and at which interval, a gift that is no part of a group looks for an order that another content reserved. */
  reservedLooks: 5,
  reservedLookEveryMs: 50,
  /**
   * A gift that has waited for this share of CALL_TIMEOUT_MS is not sent on, or not published: its caller would give
   * up before the answer.
   */
  staleShareOfTimeout: 0.5,
  /** The share of CALL_TIMEOUT_MS after which acceptance gives up a query to another service. */
  questionShareOfTimeout: 0.25,
  /** The orders that a node remembers as accepted or perhaps in the queue, and for how long. */
  ordersRemembered: 100_000,
  ordersRememberedMs: 120_000,
  /** The users whose rates of gifts a node remembers. */
  rateUsers: 100_000,
  /** After a publication without an ack, gifts of its partition are refused for this long. */
  silentPartitionMs: 1_000,
  /** Asking the platform about gifts. A gift has at most 1.5 kB in a call, a decision 1 kB in its answer. */
  gate: Object.freeze({
    giftsPerCall: 200,
    callsInFlight: 6,
    answerBytes: 256 * 1_024,
    /** Bounds of GIFT_GATE_TIMEOUT_MS. */
    timeoutMinMs: 10,
    timeoutMaxMs: 2_000,
    /** After so many calls in a row without an answer nothing is asked for `openMs`. */
    failuresToOpen: 5,
    openMs: 5_000,
    /** Of a refusal, as clients see it. */
    codeMax: 999_999_999,
    msgChars: 200,
  }),
  acceptedMemoryMs: 2 * 3_600_000,
  /** The largest difference between the clocks of the node that accepted a gift and of the node that puts it back. */
  acceptedClockMarginMs: 60_000,
  /** The gifts of one portion that is put back into a lost queue, in the order of their acceptance. */
  putBackGifts: 20_000,
  /** Groups of gifts that are put back: the usual and the greatest size, and how many wait for their acks at once. */
  putBackGroupGifts: 32,
  putBackGroupGiftsMax: 200,
  putBackInFlight: 100,
  /** The messages of each partition that are read to count the gifts of the queue; the rest is estimated. */
  depthMessagesRead: 16,
  /**
   * Gifts by minute: how often the records are added up, so many in one statement, on one node at a time; how old a
   * record is by then, so that those with smaller ids are visible; how far back it begins where nobody did it, and how
   * long a minute is kept. At 10,000 gifts/s the database reads each record once more, 50,000 every 5 s.
   */
  minutesEveryMs: 5_000,
  minutesLeaseMs: 30_000,
  minutesRecords: 50_000,
  minutesDelayMs: 5_000,
  minutesBackMs: 3_600_000,
  minutesKeptMs: 2 * 3_600_000,
  /** How far the clocks of the servers of a JetStream cluster may differ: the watermark of the queue waits that long. */
  serverClockMarginMs: 1_000,
  /** How often a node publishes a marker in a partition, and how many marks of it a node keeps. */
  markerEveryMs: 250,
  queueMarks: 4_096,
  /** The most orders that a call of gift.totals leaves out. */
  totalsWithout: 5_000,
  /** A node's connections for the sums of gift.totals, and as many for its top senders. */
  totalsConnections: 2,
});
