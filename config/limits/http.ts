export const httpLimits = Object.freeze({
  bodyBytes: 64 * 1024,
  maxConcurrentRequests: 2_000,
  maxConnections: 20_000,
  listenBacklog: 4_096,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  bodyPatienceMs: 1_000,
  keepAliveTimeoutMs: 65_000,
  /** In production, unless HTTP_DRAIN_MS says otherwise. */
  drainMs: 5_000,
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
});
