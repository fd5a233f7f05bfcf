export const metricsLimits = Object.freeze({
  readEveryMs: 5_000,
  /** Sizes of tables. */
  tablesEveryMs: 60_000,
  /** The resolution with which the delay of the event loop is measured. */
  loopResolutionMs: 20,
  countedRows: 10_000,
  /** The minutes that figures have. */
  minutesShown: 60,
});
