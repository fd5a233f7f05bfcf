export const battleLimits = Object.freeze({
  durationMinS: 60,
  durationMaxS: 1_800,
  durationDefaultS: 300,
  /** An invitation expires after this time, by the database's clock. */
  inviteMs: 30_000,
  /** Who invited is refused for so long after her invitation to the same anchor ended without acceptance. */
  inviteAgainMs: 60_000,
  /** A guest whose battle the anchor ended is refused in that room for so long. */
  joinAgainMs: 5 * 60_000,
  /** Battles that never started are deleted so long after their end; how often, and how many at once. */
  forgetAfterMs: 24 * 3_600_000,
  forgetEveryMs: 60_000,
  forgetBattles: 500,
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
  /** How long an answer waits for names and top senders; without them it goes out incomplete. */
  namePatienceMs: 300,
  /** A node reads the top senders of a running battle again after this, or after so many times what the reading took. */
  topSendersEveryMs: 1_000,
  topSendersRestFactor: 20,
  topSendersKept: 10_000,
  /** How many battles' top senders a node reads at once. */
  topSendersReadings: 2,
  /** How long a call for the top senders of a result takes; after so long without them since the end it stands alone. */
  topSendersTimeoutMs: 15_000,
  topSendersPatienceMs: 30_000,
  /** The sums of a battle are read in slices of its time, and so many at once. */
  sliceMs: 60_000,
  slicesInFlight: 4,
  /** How often the scheduler looks for work, how many battles it reads at once, and on how many it does work of a kind. */
  roundMs: 500,
  pageBattles: 500,
  stepsInFlight: 10,
  leaseMs: 5_000,
  /** A node reads JetStream's clock again after this. */
  clockEveryMs: 30_000,
  /** How often the scheduler asks who is in the rooms; after a longer gap absences count from zero. */
  attendanceEveryMs: 5_000,
  attendanceGapMs: 20_000,
  /** A result waits for the consumer of dead letters no longer than this after everything is settled. */
  deadLettersWaitMs: 10_000,
  /** The orders that a result leaves out: no more than one call of gift.totals takes. */
  excludedMax: 5_000,
  eventsInFlight: 4,
  /** The events of `gift.settled` that are counted together, and the gifts of one transaction. */
  eventsPerBatch: 32,
  giftsPerTransaction: 1_500,
  /** So long before the end of a router's tick its scores are read and sent. */
  scoreLeadMs: 25,
  scoreTimeoutMs: 2_000,
  battlesPerScoreCall: 500,
  /** The rows of a live score are deleted this long after the result, so many at once. */
  purgeAfterMs: 60_000,
  purgeRows: 5_000,
  roomsPerCall: 500,
  verifiedPerCall: 20,
});
