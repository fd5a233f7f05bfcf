/** How far the clocks of servers and of a node may be apart. */
export const clockLimits = Object.freeze({
  /** How often a node asks the servers that it uses for their time. */
  everyMs: 10_000,
  /**
   * From this difference to the node's own clock on it is logged, and named by the preflight. NTP keeps machines within a
   * few milliseconds.
   */
  reportedMs: 1_000,
  /** A reading whose answer took longer says too little, and is not used. */
  answerMs: 1_000,
});
