/** The periodic check of all live rooms: their watch numbers, and whether their anchors are there. */
export const attendanceLimits = Object.freeze({
  checkEveryMs: 4_000,
  /** Must be longer than the check of `roomsPerCall` rooms. */
  leaseMs: 8_000,
  answerTimeoutMs: 3_000,
  /** After a longer time without a check, absence counts from zero. */
  gapMs: 60_000,
  roomsPerCall: 500,
  /** How often the wallet is asked about the anchors of all live rooms. */
  accountsEveryMs: 60_000,
  closingsAtOnce: 50,
  marksPerStatement: 1_000,
  /** A router that has run for less may not have discovered all im-servers yet. */
  routerSettleMs: 2_000,
  /** How long the result of a ping to an im-server is kept. */
  pingedMs: 5_000,
  anchorEnteredTimeoutMs: 1_000,
});
