/** The erasure of users (decision 0085). */
export const erasureLimits = Object.freeze({
  /** The rows that one statement changes or removes. */
  eraseRows: 1_000,
  /** The rooms of one call that takes a user's chat out of their histories, and how long a room's history may be there. */
  roomsPerCall: 100,
  roomsKeptMs: 24 * 3_600_000,
  /** How often the job looks for erasures to go on with, and how many it takes in one round. */
  everyMs: 2_000,
  perRound: 20,
  leaseMs: 60_000,
  /** An erasure that cannot go on is tried again after this time, twice as long each time, up to the most. */
  tryAgainMs: 2_000,
  tryAgainMsMax: 10 * 60_000,
  /** How long one call of a step may take. */
  stepMs: 30_000,
});
