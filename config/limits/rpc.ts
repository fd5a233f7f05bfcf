export const rpcLimits = Object.freeze({
  requestTimeoutMs: 8_000,
  heartbeatIntervalS: 2,
  heartbeatTimeoutS: 5,
  /** For reading what has come, before nodes that were not heard are taken for gone. */
  heartbeatReadMs: 500,
  shutdownTimeoutMs: 10_000,
  /** How long a node that gets a stop signal while it starts waits for the start to finish. */
  startPatienceMs: 5_000,
  maxCallLevel: 20,
});
