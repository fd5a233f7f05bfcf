export const roomLimits = Object.freeze({
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
});
