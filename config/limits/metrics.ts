export const metricsLimits = Object.freeze({
  readEveryMs: 5_000,
  countedRows: 10_000,
  /** The minutes that figures have. */
  minutesShown: 60,
});
