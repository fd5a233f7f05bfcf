/** The limits of battles; part of `limits` (limits.ts). */
export const battleLimits = {
  battle: {
    durationMinS: 60,
    durationMaxS: 1_800,
    durationDefaultS: 300,
    /** After that an invitation has expired, by the database's clock. */
    inviteMs: 30_000,
    /** A battle that was accepted, or joined, and could not start for so long is expired. */
    startWithinMs: 30_000,
    /** A side that is away for so long loses. */
    awayMs: 60_000,
    /** Stream BATTLES: start and end messages, and those that tell the nodes the time. */
    streamAgeMs: 7 * 24 * 3_600_000,
    streamBytes: 32 * 1024 * 1024,
    streamMessages: 100_000,
    topSenders: 3,
    /** Order ids of excluded gifts in a view or an event. */
    excludedShown: 100,
    roomsPerCall: 500,
    verifiedPerCall: 20,
  },
} as const;
