/** Of staff's proposals. How long a decision may take, and the span that is added up, are in platform.ts. */
export const proposalsLimits = Object.freeze({
  /** A move that is approved and not carried out after so long is carried out by the job: longer than a call takes. */
  firstTryAgainMs: 10_000,
  /** How long the job waits after a try, twice as long after each of the next ones, up to the most. */
  tryAgainMs: 2_000,
  tryAgainMsMax: 30_000,
  /** How often the job looks, the moves of a round, and how long its lease lasts: longer than a round. */
  everyMs: 1_000,
  perRound: 50,
  leaseMs: 30_000,
  /** How long who had a refund or release carried out gets its outcome where it is asked for again. */
  repeatMs: 10 * 60_000,
  /** The bytes of an answer that is kept with its move. */
  outcomeBytes: 8_000,
  /** With a move that has been approved for longer and is not carried out the service is degraded. */
  lateMs: 2 * 60_000,
});
