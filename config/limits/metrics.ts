export const metricsLimits = Object.freeze({
  readEveryMs: 5_000,
  countedRows: 10_000,
});
