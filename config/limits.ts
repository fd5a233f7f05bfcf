/**
 * Every bound of the system, with its unit in its name. A bound that an operator may want to move is a setting
 * (config.ts); what stands here is part of the contract or of the design, and a change of it wants a test run.
 */
export const limits = Object.freeze({
  http: Object.freeze({
    bodyBytes: 64 * 1024,
    maxConcurrentRequests: 2_000,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    retryAfterSeconds: 2,
    idempotencyKeyMinChars: 8,
    idempotencyKeyMaxChars: 64,
    pageSizeMax: 100,
    pageSizeDefault: 20,
    pageMax: 1_000_000,
    metricsNodeTimeoutMs: 1_000,
    healthNodeTimeoutMs: 1_500,
  }),

  rpc: Object.freeze({
    requestTimeoutMs: 8_000,
    heartbeatIntervalS: 3,
    heartbeatTimeoutS: 8,
    shutdownTimeoutMs: 10_000,
    maxCallLevel: 20,
  }),

  mysql: Object.freeze({
    poolConnections: 8,
    poolQueueLength: 2_000,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 15_000,
    transactionRetries: 8,
    migrationLockSeconds: 60,
  }),

  redis: Object.freeze({
    connectTimeoutMs: 2_000,
    commandTimeoutMs: 1_500,
    reconnectMaxDelayMs: 1_000,
  }),

  lock: Object.freeze({
    ttlMs: 10_000,
    renewEveryMs: 3_000,
    waitMs: 5_000,
    retryEveryMs: 20,
    keysPerScript: 2_000,
  }),

  jetstream: Object.freeze({
    publishTimeoutMs: 1_500,
    publishAttempts: 3,
    publishBackoffMs: 150,
    ackWaitMs: 10_000,
    fetchExpiresMs: 5_000,
    fetchRetryMs: 500,
    maxAckPending: 20_000,
    nakFirstDelayMs: 250,
    nakMaxDelayMs: 30_000,
    maxDeliveries: 20,
    duplicateWindowMs: 120_000,
    deadLetterAgeMs: 30 * 24 * 3_600_000,
    eventsAgeMs: 7 * 24 * 3_600_000,
    topicsAgeMs: 30 * 24 * 3_600_000,
    giftQueueMessages: 5_000_000,
  }),

  outbox: Object.freeze({
    batchRows: 200,
    idlePollMs: 1_000,
    keepSentMs: 3_600_000,
    errorBackoffMs: 1_000,
  }),

  user: Object.freeze({
    smsCodeTtlMs: 60_000,
    smsCodeDigits: 6,
    smsWrongTries: 5,
    tokenTtlMs: 30 * 24 * 3_600_000,
    tokensPerUser: 20,
    nickNameChars: 30,
  }),

  room: Object.freeze({
    nameChars: 60,
    startEveryMs: 10_000,
    closeEveryMs: 10_000,
    cacheEntries: 10_000,
    cacheTtlMs: 1_000,
  }),

  gift: Object.freeze({
    countMax: 9_999,
    priceMaxCoins: 1_000_000_000,
    catalogueCacheEntries: 1_000,
    catalogueCacheTtlMs: 90_000,
    nameChars: 60,
    urlChars: 300,
    partitions: 16,
    settleBatch: 500,
    settleBatchesInFlight: 3,
    acceptedMemoryMs: 24 * 3_600_000,
  }),

  wallet: Object.freeze({
    buckets: 256,
    batchCommands: 500,
    batchesInFlight: 3,
    mailboxCommands: 20_000,
    commandsPerCall: 2_000,
    balanceCacheMs: 60_000,
    incomeBatchRows: 500,
    incomeIdlePollMs: 500,
    amountMaxCoins: 1_000_000_000_000,
  }),

  payment: Object.freeze({
    orderExpiresMs: 15 * 60_000,
    cashierRetryDelaysMs: Object.freeze([500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000]),
    cashierTimeoutMs: 5_000,
    cashierDuplicatePercent: 20,
    noticeFreshnessMs: 5 * 60_000,
    noticeBodyBytes: 64 * 1024,
    reasonChars: 200,
  }),

  im: Object.freeze({
    tokenTtlMs: 5 * 60_000,
    frameBytes: 64 * 1024,
    heartbeatMs: 30_000,
    silenceMs: 75_000,
    chatChars: 500,
    roomTickMs: 100,
    giftsPerFrame: 500,
    roomHistoryFrames: 200,
    roomHistoryMs: 10 * 60_000,
    sendQueueBytes: 1024 * 1024,
    messagesPerSecond: 20,
    messagesBurst: 40,
    connectionsPerNode: 50_000,
    presenceLeaseMs: 30_000,
    presenceRefreshMs: 10_000,
    pendingRoomGifts: 200_000,
    routerBuckets: 64,
  }),
});
