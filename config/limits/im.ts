export const imLimits = Object.freeze({
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
});
