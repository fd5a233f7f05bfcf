export const jetstreamLimits = Object.freeze({
  apiTimeoutMs: 3_000,
  /**
   * The same with several replicas: those of a new stream or consumer elect a leader before the server answers, mostly
   * within five seconds. A start asks again (`startWaitMs`), since an answer may be lost.
   */
  replicatedApiTimeoutMs: 5_500,
  /** How often streams and consumers are checked, also when somebody reports a missing one. */
  lookEveryMs: 1_000,
  wakeEveryMs: 200,
  /** How often the dead letters and the account are checked, unless something is missing. */
  lookRarelyMs: 5_000,
  /** How often a service stores how far its streams have grown, while they grow. */
  noteSeenEveryMs: 5_000,
  /** The age of the last check of streams from which it is reported. */
  lookLateMs: 10_000,
  /**
   * The pause before a lost stream is made again: the server still removes the files of a stream that it reports as
   * missing, and would remove those of a new one of the same name.
   */
  makeAgainAfterMs: 1_000,
  /**
   * A message that its queue's consumer has passed for so long is delivered again. Longer than a replica takes to remove
   * what was acked.
   */
  passedForMs: 20_000,
  /** How often a queue is marked for one message that its consumer has passed. */
  passedMarks: 3,
  /** How often a provisioner looks for replicated streams on which the servers have not agreed. */
  agreeEveryMs: 60_000,
  /** How often a stream is made whose subjects overlap, and the pause between: another node may be making the same one. */
  makeStreamTries: 20,
  makeStreamPauseMs: 100,
  /** How often a login is tried at nats-server, how long one may take, and the pause between. */
  loginTries: 5,
  loginMs: 5_000,
  loginRetryMs: 200,
  /**
   * Where a URL names several servers: how long one may take to answer a new connection, and how often an open one is
   * pinged. After two pings without an answer the next server is taken.
   */
  otherServerAfterMs: 2_000,
  /** After so long without an answer to pulls of a consumer another server is taken; an election takes up to nine seconds. */
  unansweredMs: 10_000,
  /** How long a starting service waits for JetStream, or a stream, to have a leader: an election takes up to nine seconds. */
  startWaitMs: 15_000,
  /** Of the names of streams and consumers, and of what tells streams apart. */
  nameChars: 120,
  /** The pause before a starting service asks a provisioner again, and between two log lines about it. */
  provisionerRetryMs: 500,
  provisionerToldMs: 10_000,
  /**
   * The endings of consumers' names on a log: a log that is made again gets the next one, and after the last the
   * first one again. Each is three permissions a consumer.
   */
  logGenerations: 8,
  /** The most consumers that other systems have on their mirror of stream EVENTS, ephemeral ones too. */
  readerConsumers: 200,
  /** The most bytes of a request of another system for a consumer. */
  readerRequestBytes: 64 * 1024,
  /** Such requests that a provisioner node has open at nats-server at once. Further ones are answered 503. */
  readerRequestsAtOnce: 64,
  /** A mirror of EVENTS that lacks events and has got none for this long is reported. */
  mirrorLateMs: 15_000,
  /** After this time the mirror is made again. nats-server asks again by itself every ten seconds. */
  mirrorStandsMs: 60_000,
  /** A consumer with waiting messages of which none is handled for this long is reported. */
  stuckMs: 60_000,
  /** How long a refusal for lack of room is reported, since the server does not show when there is room again. */
  refusalReportedMs: 10_000,
  /** The most subjects that a login was refused which are reported at once. */
  refusalsKept: 100,
  lossReportedMs: 10_000,
  /** The largest difference between the clocks of the database and of the NATS server. */
  clockMarginMs: 60_000,
  /** Ends of a log that are kept with their times, one for each check. When they are too many every second one is dropped. */
  streamEndsKept: 4_096,
  /** After so long another node takes over a catch-up whose node died. */
  catchUpLeaseMs: 20_000,
  /** The pause before a recovery runs again, for messages that were on their way to a lost stream. */
  recoverAgainMs: 5_000,
  publishTimeoutMs: 1_500,
  /** After so long without an ack a message is published again, ms: then its request or its ack may be lost. */
  publishAgainMs: 500,
  publishAttempts: 3,
  publishBackoffMs: 150,
  ackWaitMs: 5_000,
  /** A message that arrives so soon after its node has extended the ack wait of the others is extended by itself. */
  extendLateMs: 500,
  takeOverPollMs: 100,
  drainMs: 5_000,
  fetchExpiresMs: 1_000,
  fetchRetryMs: 500,
  /** A pull that brought nothing is given up where the server has not ended it so long after its expiry. */
  fetchSilentMs: 2_000,
  /** The most messages of a pull where each holds many items: 32 groups of 500 gifts are at most 6 MB. */
  splitPullMessages: 32,
  maxAckPending: 20_000,
  /** The most items that pause after a partial failure without counting against a channel's bound. */
  pausingItems: 10_000,
  /** A message is held as a whole until its last item is handled: with so many bytes a channel pulls no more. */
  heldBytes: 256 * 1024 * 1024,
  retryFirstDelayMs: 100,
  retryMaxDelayMs: 10_000,
  maxAttempts: 8,
  duplicateWindowMs: 120_000,
  /** The size to which a message is cut that is too large for the dead letters. */
  deadLetterCutBytes: 64 * 1024,
  /** The characters of a dead letter's body and of its other texts that staff see, and the bytes that staff may give up. */
  deadLetterShownChars: 16_384,
  deadLetterLineChars: 500,
  deadLetterKeptBytes: 256 * 1024,
  /** The orders of one dead letter that are kept of it: those of a message of gifts (`gift.groupGifts`). */
  deadLetterOrders: 500,
  deadLetterAgeMs: 30 * 24 * 3_600_000,
  eventsAgeMs: 7 * 24 * 3_600_000,
  topicsAgeMs: 30 * 24 * 3_600_000,
  /** Of the whole queue. Each of the `gift.sendPartitions` streams that are written to takes a quarter: 1,250,000. */
  giftQueueMessages: 5_000_000,
  /**
   * Of the whole queue: five million gifts of about 400 bytes, with a url of usual length. Each stream may have
   * 500 MB, so the server reserves 4 GB for all `gift.partitions` streams.
   */
  giftQueueBytes: 2_000_000_000,
  /**
   * Of each other stream beside EVENTS, which is a setting. The server reserves these bytes too. Those of PAY are
   * about two million orders that the wallet has not read.
   */
  topicsBytes: 1_000_000_000,
  deadLetterBytes: 500_000_000,
  notificationsBytes: 250_000_000,
  /** The share of its bound from which a stream is trimmed, and for how long its messages must have been read. */
  trimFrom: 0.5,
  trimReadForMs: 60_000,
  /** The newest messages that such a trim leaves, read or not: more than readers handle between two of their positions. */
  trimLeavesNewest: 10_000,
  /** The newest unproven dead letters that a trim leaves; fewer where that does not make room. */
  unprovenKept: Object.freeze([1_000, 100, 0] as const),
  /**
   * The share of its bound from which the dead letters of unknown keys, which may be genuine, make room too, and the
   * share of them that one step removes.
   */
  trimUnknownKeyFrom: 0.9,
  unknownKeyStep: 0.1,
  notificationsAgeMs: 24 * 3_600_000,
  notificationsPerUser: 1_000,
  notificationsKept: 1_000_000,
  /**
   * A provisioner that starts waits so long for another node, which may be of a later release; it looks at each
   * interval.
   */
  othersHeardMs: 300,
  othersHeardEveryMs: 20,
});
