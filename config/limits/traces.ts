export const tracesLimits = Object.freeze({
  /** The most traces that one call, message or frame carries on. Of further ones the later part is missing. */
  carried: 32,
  /** Spans that wait for their export. Beyond it they are dropped: nothing waits for a collector. */
  queuedSpans: 8_192,
  exportSpans: 512,
  exportEveryMs: 2_000,
  exportTimeoutMs: 5_000,
  /** How long the stop of a node waits for its last spans. */
  flushMs: 2_000,
});
