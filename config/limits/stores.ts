/** For what refuses at its bound: streams, the JetStream account, Redis. Shares of the bound. */
export const storesLimits = Object.freeze({
  /** From here on it is reported as filling, and its services are degraded; and the log has errors, not warnings. */
  fillingFrom: 0.7,
  nearlyFullFrom: 0.9,
  /** From here on its services are not ready. */
  notReadyFrom: 0.95,
  /** The shortest time between two log lines about a store that is as full as it was. */
  fillingLoggedMs: 10 * 60_000,
});
