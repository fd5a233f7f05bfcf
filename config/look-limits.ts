/** Bounds of the looks over all live rooms: who watches, and whether the anchors are there. Part of limits.ts. */
export const lookLimits = Object.freeze({
  everyMs: 4_000,
  /** More than a portion of rooms takes. */
  leaseMs: 8_000,
  answerTimeoutMs: 3_000,
  /** Looks further apart than this say nothing about the time between them. */
  gapMs: 60_000,
  roomsPerCall: 500,
  closingsAtOnce: 50,
  marksPerStatement: 1_000,
  /** How long a router has been there before the im-servers that it sees are all there are. */
  routerSettleMs: 2_000,
  /** For how long an im-server that did not answer a router's ping, or did, is not pinged again. */
  pingedMs: 5_000,
  anchorEnteredTimeoutMs: 1_000,
});
