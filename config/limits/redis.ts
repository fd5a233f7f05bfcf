export const redisLimits = Object.freeze({
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
});
