export const roomLimits = Object.freeze({
  nameChars: 60,
  /** Of one anchor, for all her rooms. */
  moderators: 20,
  /** Calls of one user in a minute that mute, unmute or remove chat; and those for her role in a room. */
  moderationPerMinute: 60,
  rolesPerMinute: 60,
  startEveryMs: 10_000,
  closeEveryMs: 10_000,
  closeTwinMs: 5_000,
  cacheEntries: 10_000,
  cacheTtlMs: 1_000,
  anchorsPerCall: 500,
  externalIdsPerCall: 100,
  /** Of the platform's ids of rooms that a node keeps. */
  externalIdsKept: 10_000,
  /** How long a node takes a platform's id for the same live room, and a room for one without such an id. */
  externalIdTtlMs: 1_000,
  closingsInFlight: 16,
  closedPerPage: 500,
  watchNumbersPerStatement: 500,
  /** How long a write of the platform finds what it did: twice as long as its idempotency key is kept. */
  writesKeptMs: 16 * 24 * 3_600_000,
  writesPerPurge: 500,
});
