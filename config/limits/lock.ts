export const lockLimits = Object.freeze({
  ttlMs: 5_000,
  /** How long the circuit breaker stays open before one caller asks Redis again. */
  breakerMs: 3_000,
  renewEveryMs: 1_500,
  waitMs: 5_000,
  retryEveryMs: 20,
});
