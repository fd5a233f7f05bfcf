import { battleLimits } from "./limits-battle.ts";
import { rankLimits } from "./limits-rank.ts";

/**
 * Every bound of the system, with its unit in its name. A bound that operators may change is a setting (config.ts). The
 * values here are part of the contract or of the design: run the tests after a change.
 */
export const limits = Object.freeze({
  ...battleLimits,

  http: Object.freeze({
    bodyBytes: 64 * 1024,
    maxConcurrentRequests: 2_000,
    maxConnections: 20_000,
    listenBacklog: 4_096,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    bodyPatienceMs: 1_000,
    keepAliveTimeoutMs: 65_000,
    retryAfterSeconds: 2,
    idempotencyKeyMinChars: 8,
    idempotencyKeyMaxChars: 64,
    payOrdersPerUserPerMinute: 120,
    imConfigsPerUserPerMinute: 120,
    logoutsOfAllPerUserPerMinute: 30,
    /** Each path that changes a battle; each that shows battles or ranks. */
    battleChangesPerUserPerMinute: 20,
    battleReadsPerUserPerMinute: 120,
    rankReadsPerUserPerMinute: 120,
    pageSizeMax: 100,
    pageSizeDefault: 20,
    pageMax: 1_000_000,
    metricsNodeTimeoutMs: 1_000,
    metricsWindowS: 10,
    healthNodeTimeoutMs: 1_500,
    /** How long the result of a check is reused: of all nodes (gateway), or of a node's dependencies (node), ms. */
    healthKeptMs: 500,
    proxiesMax: 10,
    /** The addresses whose requests a node counts while Redis is away. */
    addressesCountedHere: 100_000,
  }),

  log: Object.freeze({
    bufferBytes: 8 * 1024,
    flushEveryMs: 250,
    /** The most characters of a driver's error message that its failure keeps. */
    causeChars: 200,
    /** The shortest time between two lines of what others can cause at will (mixins/sparse-log.ts). */
    repeatsEveryMs: 1_000,
    /** For each destination: the most bytes that wait to be written. Further lines are dropped and counted. */
    waitingBytes: 4 * 1024 * 1024,
    writeBytes: 1024 * 1024,
    /** The pause before a destination that accepts nothing (a full pipe), or fails (a full disk), is tried again. */
    againMs: 20,
    retryEveryMs: 1_000,
    /** The shortest time between two reports on stderr that the same destination does not work. */
    reportEveryMs: 10 * 60_000,
    /** The longest time for which an ending process waits for its lines to be written. */
    flushAtExitMs: 500,
  }),

  /** For nodes and private servers that end by themselves, in `npm start` and `npm run cluster`. */
  restarts: Object.freeze({
    most: 5,
    withinMs: 10 * 60_000,
    firstPauseMs: 500,
    maxPauseMs: 15_000,
    nodeStopMs: 20_000,
    /** How long a node lets its own stop take: less, so that it can log the reason before it is killed. */
    ownStopMs: 18_000,
    /** How often the processes and the containers of private servers, and a process's parent, are checked. */
    checkEveryMs: 1_000,
    checkContainersEveryMs: 10_000,
    checkParentEveryMs: 500,
  }),

  rpc: Object.freeze({
    requestTimeoutMs: 8_000,
    heartbeatIntervalS: 2,
    heartbeatTimeoutS: 5,
    shutdownTimeoutMs: 10_000,
    /** How long a node that gets a stop signal while it starts waits for the start to finish. */
    startPatienceMs: 5_000,
    maxCallLevel: 20,
  }),

  bus: Object.freeze({
    /**
     * The most bytes of the list in one call, answer or publication, as JSON; names, ids and headers are added to it.
     */
    listBytes: 512 * 1024,
    /** The least `max_payload` of nats-server, which is also its default. */
    maxPayloadBytes: 1024 * 1024,
    /**
     * A node that is younger than this ends when another node has its id; an older one answers, at this interval at the
     * most.
     */
    sameIdEndsMs: 5_000,
    /** Of a node id; the columns and keys that hold one have at least this length. */
    nodeIdChars: 150,
    /** A refused packet or call is logged once in this time with the same reason, sender and action, */
    refusalLogMs: 10_000,
    /** and in all that many times. The metric counts every one. */
    refusalLogLines: 100,
    /** After this time a subscription that nats-server refused is tried again. */
    subscribeAgainMs: 1_000,
    /** The subjects and roles of other nodes that a node remembers; beyond it they are read anew. */
    knownSubjects: 5_000,
    knownRoles: 1_000,
    /** Of what a node says of itself, which every other node keeps, */
    infoBytes: 64 * 1024,
    /** of the actions of a service in it, and of its events, */
    namesOfService: 100,
    /** and of the nodes of one role, with those that are gone until they are forgotten. */
    nodesOfRole: 200,
  }),

  mysql: Object.freeze({
    poolConnections: 8,
    poolQueueLength: 2_000,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 15_000,
    transactionRetries: 8,
    /** A connection is checked for read_only before a use when its last check is older than this. */
    checkEveryMs: 1_000,
    checkTimeoutMs: 3_000,
    /** A pool closes all its connections at most this often. */
    emptyEveryMs: 1_000,
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
  }),

  redis: Object.freeze({
    connectTimeoutMs: 2_000,
    commandTimeoutMs: 1_500,
    /** How long a dropped connection may take to close. */
    disconnectTimeoutMs: 500,
    reconnectMaxDelayMs: 1_000,
    /** A connection whose server refuses commands is dropped at most this often. */
    dropEveryMs: 2_000,
    /** How often a connection is probed with a write, so that a client that only reads detects a demoted server too. */
    probeEveryMs: 2_000,
    /** A connection that does not answer, or does not finish its handshake, for this long is dropped. */
    silenceMs: 5_000,
    /** How long the keys of these probes live. */
    probeTtlMs: 5_000,
    /** How often the memory that it uses is read. */
    memoryEveryMs: 5_000,
  }),

  lock: Object.freeze({
    ttlMs: 5_000,
    /** How long the circuit breaker stays open before one caller asks Redis again. */
    breakerMs: 3_000,
    renewEveryMs: 1_500,
    waitMs: 5_000,
    retryEveryMs: 20,
  }),

  /** For what refuses at its bound: streams, the JetStream account, Redis. Shares of the bound. */
  stores: Object.freeze({
    /** From here on it is reported as filling, and its services are degraded; and the log has errors, not warnings. */
    fillingFrom: 0.7,
    nearlyFullFrom: 0.9,
    /** From here on its services are not ready. */
    notReadyFrom: 0.95,
    /** The shortest time between two log lines about a store that is as full as it was. */
    fillingLoggedMs: 10 * 60_000,
  }),

  jetstream: Object.freeze({
    apiTimeoutMs: 3_000,
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
    loginTries: 5,
    loginRetryMs: 200,
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
    retryFirstDelayMs: 100,
    retryMaxDelayMs: 10_000,
    maxAttempts: 8,
    duplicateWindowMs: 120_000,
    /** The size to which a message is cut that is too large for the dead letters. */
    deadLetterCutBytes: 64 * 1024,
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
  }),

  metrics: Object.freeze({
    readEveryMs: 5_000,
    countedRows: 10_000,
  }),

  outbox: Object.freeze({
    /** For one statement that writes messages; the bytes are those of the payloads, and more than `bus.listBytes`. */
    insertRows: 1_000,
    insertBytes: 1024 * 1024,
    batchRows: 200,
    idlePollMs: 1_000,
    keepSentMs: 3_600_000,
    purgeRows: 1_000,
    /** For one statement that marks messages of a lost stream as unsent. */
    sendAgainRows: 1_000,
    errorBackoffMs: 1_000,
    /** Rows of a stream that accepts none wait for this time, more than the backoff: others go out meanwhile. */
    refusedWaitMs: 2_000,
  }),

  /** Of each setting with symmetric keys. */
  keys: Object.freeze({ most: 8, minBytes: 32, maxBytes: 256 }),

  user: Object.freeze({
    /** The users whose profiles one call asks for. */
    profilesPerCall: 100,
    /** Names and avatars for lists of users: how many a node that shows them keeps, and for how long. */
    namesKept: 100_000,
    nameTtlMs: 60_000,
    /** After the user service failed it is not asked for names for so long. */
    namePauseMs: 2_000,
    smsCodeTtlMs: 60_000,
    smsCodeDigits: 6,
    /**
     * Wrong tries of one code: those of each address, and those of all strangers together: all addresses but the one
     * that requested the code and those that logged in with the phone before, whose tries nobody else can use up.
     */
    smsWrongTries: 5,
    smsWrongTriesOfOthers: 20,
    /**
     * Tries of one code in all, counted in the database: those of the strangers, of a requester and of an address that
     * logged in before. It bounds the guesses of somebody who can write Redis.
     */
    smsTriesOfAll: 30,
    /**
     * Codes of a phone and day that an address requests and nobody uses; and those beyond LOGIN_CODES_PER_PHONE_PER_DAY
     * for the addresses that logged in with the phone within so many days.
     */
    smsCodesPerAddress: 3,
    smsAddressKnownDays: 90,
    /** The shares of SMS_BUDGET_PER_DAY from which the log has a warning, and an error. */
    smsBudgetWarnFrom: 0.7,
    smsBudgetErrorFrom: 0.9,
    /** The shortest time between two log lines about a budget that is used up. */
    smsBudgetLoggedMs: 10 * 60_000,
    /** Days of which the numbers of codes are kept. */
    smsDaysKept: 3,
    smsCodesPerIpPerMinute: 60,
    /** Logins of one address that may fail for their code, in production and in the local profile. */
    failuresPerIpPerMinute: 30,
    localFailuresPerMinute: 120,
    tokenTtlMs: 30 * 24 * 3_600_000,
    tokensPerUser: 20,
    /** A token is refused where its time of issue is further ahead of the gateway's clock: the clocks differ. */
    tokenClockLeewayMs: 60_000,
    /**
     * Neither `logout` nor a broadcast revokes a token whose time of issue is further ahead of a node's clock: only a
     * thief of a key can have signed it, and its revocation would be kept too long.
     */
    issuedAheadMs: 24 * 3_600_000,
    /** How often each gateway node reads new revocations, and how long one call of it may take. */
    revocationPollMs: 500,
    revocationCallMs: 3_000,
    /** A gateway node whose copy of the revocations is older refuses logged-in requests with `unavailable`. */
    revocationStaleMs: 10_000,
    /**
     * How far each read goes back before the time of the last one. A revocation whose commit took `revocationWriteMs`
     * or more is written again, so this must be longer.
     */
    revocationOverlapMs: 10_000,
    /** How often each gateway node reads all revocations besides, a page a poll. */
    revocationSweepEveryMs: 3_600_000,
    revocationWriteMs: 5_000,
    revocationWrites: 3,
    revocationsPerPage: 3_000,
    /** How often expired sessions and revocations are deleted, in statements of so many rows. */
    purgeEveryMs: 60_000,
    purgeRows: 1_000,
    purgeLeaseMs: 30_000,
    /** How long revocations are kept after their tokens expired: more than clocks of gateway and database differ. */
    revocationKeptMs: 3_600_000,
  }),

  room: Object.freeze({
    nameChars: 60,
    startEveryMs: 10_000,
    closeEveryMs: 10_000,
    closeTwinMs: 5_000,
    cacheEntries: 10_000,
    cacheTtlMs: 1_000,
    anchorsPerCall: 500,
    closingsInFlight: 16,
    closedPerPage: 500,
    watchNumbersPerStatement: 500,
  }),

  /** The periodic check of all live rooms: their watch numbers, and whether their anchors are there. */
  attendance: Object.freeze({
    checkEveryMs: 4_000,
    /** Must be longer than the check of `roomsPerCall` rooms. */
    leaseMs: 8_000,
    answerTimeoutMs: 3_000,
    /** After a longer time without a check, absence counts from zero. */
    gapMs: 60_000,
    roomsPerCall: 500,
    /** How often the wallet is asked about the anchors of all live rooms. */
    accountsEveryMs: 60_000,
    closingsAtOnce: 50,
    marksPerStatement: 1_000,
    /** A router that has run for less may not have discovered all im-servers yet. */
    routerSettleMs: 2_000,
    /** How long the result of a ping to an im-server is kept. */
    pingedMs: 5_000,
    anchorEnteredTimeoutMs: 1_000,
  }),
  notification: Object.freeze({
    smsWebhookTimeoutMs: 5_000,
    eventsInFlight: 16,
  }),

  gift: Object.freeze({
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
    shareRowsShown: 500,
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
    /** How far the clocks of the servers of a JetStream cluster may differ: the watermark of the queue waits that long. */
    serverClockMarginMs: 1_000,
    /** How often a node publishes a marker in a partition, and how many marks of it a node keeps. */
    markerEveryMs: 250,
    queueMarks: 4_096,
    /** The most orders that a call of gift.totals leaves out. */
    totalsWithout: 5_000,
    /** A node's connections for the sums of gift.totals, and as many for its top senders. */
    totalsConnections: 2,
  }),

  wallet: Object.freeze({
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
  }),

  books: Object.freeze({
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
  }),

  payment: Object.freeze({
    orderExpiresMs: 15 * 60_000,
    expiryGraceMs: 30_000,
    watchDelaysMs: Object.freeze([60_000, 60_000, 120_000, 240_000, 480_000, 600_000] as const),
    refundAttempts: 100,
    maintenancePollMs: 5_000,
    maintenanceLeaseMs: 60_000,
    maintenanceOrders: 200,
    maintenanceCallsInFlight: 10,
    maintenanceMessages: 500,
    messageLookDelaysMs: Object.freeze([5_000, 10_000, 30_000, 60_000, 120_000, 600_000] as const),
    /** Each is longer than `jetstream.duplicateWindowMs`, and than the one before. */
    messageAgainDelaysMs: Object.freeze([180_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000] as const),
    messageLooksBeforeAgain: 3,
    /** The pause before the wallet is asked about all watched messages after their stream was made again. */
    messageLookAfterLossMs: 2_000,
    cashierRetryDelaysMs: Object.freeze([500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000]),
    cashierTimeoutMs: 5_000,
    cashierDuplicatePercent: 20,
    cashierIdlePollMs: 250,
    cashierCallsInFlight: 20,
    cashierGiveUpMs: 24 * 3_600_000,
    webhookFreshnessMs: 5 * 60_000,
    alipayWebhookFreshnessMs: 26 * 3_600_000,
    providerTimeoutMs: 5_000,
    providerAnswerBytes: 256 * 1024,
    providerBillBytes: 256 * 1024 * 1024,
    providerBillTimeoutMs: 120_000,
    reconcileTimeoutMs: 30 * 60_000,
    billLinesPerCall: 2_000,
    billsPerDay: 20,
    /** The daily reconciliation compares this many days back; older ones by the command. */
    reconcileDays: 7,
    reconcilePollMs: 30_000,
    /** The pause before a comparison that failed is tried again, e.g. since the bill is not there yet. */
    reconcileRetryMs: 10 * 60_000,
    /** Longer than a comparison usually takes: two nodes that compare a day at once do the work twice, no more. */
    reconcileLeaseMs: 15 * 60_000,
    /**
     * From so long after the end of a day on, a provider that has no bill of it had no payments on it. Until then the
     * bill may not be made yet, also where nothing was paid here.
     */
    billMissingMs: 48 * 3_600_000,
    /**
     * A refund is expected in the bills this long after the day on which the provider accepted it here: its own day may
     * be the next or the one before.
     */
    billDayMarginMs: 3_600_000,
    productNameChars: 100,
    /** One million yuan. */
    productFen: 100_000_000,
    productCoins: 1_000_000_000,
    /** Column t_pay_topic.biz_code. */
    bizCode: 4_294_967_295,
    webhookBodyBytes: 64 * 1024,
    webhookExcerptChars: 1_000,
    refusedWebhookRowsPerMinute: 600,
    uncreditedPollMs: 30_000,
    uncreditedOrders: 100,
    reasonChars: 200,
  }),

  im: Object.freeze({
    tokenTtlMs: 5 * 60_000,
    tokenTimeoutMs: 2_000,
    /** Users who ask a gateway for a token while calls to the routers run share the next call, so many in each. */
    ticketsPerCall: 100,
    ticketCallsInFlight: 4,
    /** A user who has waited longer for such a call gets 503: the client may be gone. */
    ticketWaitMs: 5_000,
    /**
     * Requests at a gateway for a token; more are answered 503. Fewer than `http.maxConcurrentRequests`, so that gifts
     * get through while the routers are slow.
     */
    ticketsWaiting: 1_500,
    /** A router that did not answer in time is not asked for so long, while there is another one. */
    routerLeftOutMs: 5_000,
    frameBytes: 64 * 1024,
    /** The deepest nesting of objects and arrays in the `data` of a frame from a service. */
    dataLevels: 20,
    heartbeatMs: 30_000,
    /** A client that sends nothing for this long is closed. */
    heartbeatTimeoutMs: 75_000,
    chatChars: 500,
    roomTickMs: 100,
    roomTickLeadMs: 10,
    giftsPerFrame: 500,
    /** For one frame of a room. Nearly all gifts of `giftsPerFrame` with addresses of usual length fit. */
    roomFrameBytes: 128 * 1024,
    /**
     * For one room in one tick; the rest waits for the next ticks. Half of `sendQueueBytes`, so that readers keep up.
     */
    roomTickBytes: 512 * 1024,
    /**
     * Of one room's chat that is not passed to the nodes yet, about two ticks of it. More chat is refused; gifts are
     * not.
     */
    roomChatBytes: 1024 * 1024,
    /** The same for all rooms of a router. */
    routerChatBytes: 64 * 1024 * 1024,
    /** The shortest time between two log lines about refused chat. */
    chatRefusalsLoggedMs: 10_000,
    giftsPerCall: 2_000,
    /** The most battles in one call that brings scores. */
    battlesPerCall: 1_000,
    /** The rooms of one router whose scores wait for the tick. */
    roomsWithScores: 10_000,
    /** The oldest battle state that is sent to those who enter a room, counted from the call that asked for it. */
    battleStateMs: 1_000,
    /** The shortest time between an im-server's calls for battles. Those who enter meanwhile wait for the next call. */
    battleAskEveryMs: 50,
    battleAskTimeoutMs: 2_000,
    battleEntrantsWaiting: 10_000,
    /** After a failed call no battle is asked for during this time. */
    battleAwayMs: 1_000,
    /** The shortest time between two log lines about such a failure. */
    battleAwayLoggedMs: 60_000,
    /** A battle's state that is older than this is sent with a new `serverTime`. */
    battleStateAgedMs: 100,
    roomHistoryFrames: 200,
    roomHistoryBytes: 4 * 1024 * 1024,
    roomHistoryMs: 10 * 60_000,
    /** Smaller frames are sent as text, also to clients that ask for compressed ones: little would be saved. */
    deflateFromBytes: 512,
    /** Of zlib. Level 6 saves 2 % more, and takes several times as long for large frames (decision 0051). */
    deflateLevel: 3,
    /** Characters of replayed frames that a node keeps for the next clients that miss them. */
    replayedChars: 8 * 1024 * 1024,
    sendQueueBytes: 1024 * 1024,
    messagesPerSecond: 20,
    messagesBurst: 40,
    /** The users whose rate of messages a node keeps: more than can be connected to it. */
    userMessagesRemembered: 100_000,
    connectionsPerNode: 50_000,
    connectsPerSecond: 1_000,
    connectsBurst: 3_000,
    userConnectsPerMinute: 30,
    userConnectsBurst: 20,
    userConnectsRemembered: 100_000,
    /**
     * Connects with bad tokens of one address to a node. Beyond them its connects are closed with 4503, before Redis is
     * asked and the node's rate is used.
     */
    badTokensPerMinute: 60,
    badTokensBurst: 60,
    /** The shortest time between two log lines about connects that were closed for it. */
    suspectedLoggedMs: 60_000,
    addressesRemembered: 100_000,
    listenBacklog: 4_096,
    loginMs: 10_000,
    pingAfterMs: 35_000,
    pongTimeoutMs: 20_000,
    presenceLeaseMs: 30_000,
    presenceRefreshMs: 10_000,
    pendingRoomGifts: 200_000,
    routerBuckets: 64,
    roomStateMs: 24 * 3_600_000,
    newEpochMs: 10_000,
    notificationResendMs: 4_000,
    notificationResendMaxMs: 60_000,
    /** For one connection: sent and not acked. Further ones wait in the stream. */
    notificationsUnacked: 100,
    notificationsCheckMs: 5 * 60_000,
    notificationReadsInFlight: 64,
    notificationsPerPublish: 500,
    notificationsPerCall: 5_000,
    /** For one im-server: anchors whose presence is not reported to living-room yet. */
    unreportedAnchors: 1_000,
    roomClosedMs: 10_000,
    roomLiveMs: 1_000,
    replaceGatherMs: 20,
    replaceTimeoutMs: 2_000,
    replacesPerCall: 5_000,
    heldRoomFrames: 2_000,
    framesPerScript: 1_000,
    scriptBytes: 4 * 1024 * 1024,
    presenceBatch: 500,
    watchFlushMs: 2_000,
    deliverTimeoutMs: 2_000,
    deliverFrames: 5_000,
    deliverBytes: 400 * 1024,
    serverListMs: 1_000,
    /** How long a router waits for the counts of further im-servers after the first one. */
    serverPatienceMs: 100,
    serverAliveMs: 200,
    serverPingMs: 300,
    numberRetryMs: 1_000,
    portsTried: 200,
    closeGraceMs: 3_000,
    drainMs: 5_000,
    drainPortion: 500,
  }),

  rank: rankLimits,
});
