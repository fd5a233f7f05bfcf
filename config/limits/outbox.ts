export const outboxLimits = Object.freeze({
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
});
