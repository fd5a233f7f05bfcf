export const logLimits = Object.freeze({
  bufferBytes: 8 * 1024,
  flushEveryMs: 250,
  /** The most characters of a driver's error message that its failure keeps. */
  causeChars: 200,
  /** The shortest time between two lines of what others can cause at will (mixins/sparse-log.ts). */
  repeatsEveryMs: 1_000,
  /** For each destination: the most bytes that wait to be written. Further lines are dropped and counted. */
  waitingBytes: 4 * 1024 * 1024,
  writeBytes: 1024 * 1024,
  /** The pause before a destination that accepts nothing (a full pipe), or fails (a full disk), is tried again. */
  againMs: 20,
  retryEveryMs: 1_000,
  /** The shortest time between two reports on stderr that the same destination does not work. */
  reportEveryMs: 10 * 60_000,
  /** The longest time for which an ending process waits for its lines to be written. */
  flushAtExitMs: 500,
});
