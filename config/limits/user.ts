export const userLimits = Object.freeze({
  /** The users whose profiles one call asks for. */
  profilesPerCall: 100,
  /** Names and avatars for lists of users: how many a node that shows them keeps, and for how long. */
  namesKept: 100_000,
  nameTtlMs: 60_000,
  /** After the user service failed it is not asked for names for so long. */
  namePauseMs: 2_000,
  nickNameChars: 30,
  avatarChars: 300,
  /** Of a user's id at the platform, in code points. Its column has room for four bytes each. */
  externalIdChars: 64,
  /** The ids of users and of the platform that one call asks for, and the calls of a node that run at once. */
  externalIdsPerCall: 100,
  externalIdCalls: 4,
  /**
   * Pairs of a user and the id at the platform that a node keeps, and for how long: an erasure that a node does not hear of
   * is known by then. And how long it keeps that there is none.
   */
  externalIdsKept: 200_000,
  externalIdTtlMs: 60_000,
  externalIdUnknownMs: 1_000,
  smsCodeTtlMs: 60_000,
  smsCodeDigits: 6,
  /**
   * Wrong tries of one code: those of each address, and those of all strangers together: all addresses but the one
   * that requested the code and those that logged in with the phone before, whose tries nobody else can use up.
   */
  smsWrongTries: 5,
  smsWrongTriesOfOthers: 20,
  /**
   * Tries of one code in all, counted in the database: those of the strangers, of a requester and of an address that
   * logged in before. It bounds the guesses of somebody who can write Redis.
   */
  smsTriesOfAll: 30,
  /**
   * Codes of a phone and day that an address requests and nobody uses; and those beyond LOGIN_CODES_PER_PHONE_PER_DAY
   * for the addresses that logged in with the phone within so many days.
   */
  smsCodesPerAddress: 3,
  smsAddressKnownDays: 90,
  /** The shares of SMS_BUDGET_PER_DAY from which the log has a warning, and an error. */
  smsBudgetWarnFrom: 0.7,
  smsBudgetErrorFrom: 0.9,
  /** The shortest time between two log lines about a budget that is used up. */
  smsBudgetLoggedMs: 10 * 60_000,
  /** Days of which the numbers of codes are kept. */
  smsDaysKept: 3,
  smsCodesPerIpPerMinute: 60,
  /** Logins of one address that may fail for their code, in production and in the local profile. */
  failuresPerIpPerMinute: 30,
  localFailuresPerMinute: 120,
  tokenTtlMs: 30 * 24 * 3_600_000,
  tokensPerUser: 20,
  /** A token is refused where its time of issue is further ahead of the gateway's clock: the clocks differ. */
  tokenClockLeewayMs: 60_000,
  /**
   * Neither `logout` nor a broadcast revokes a token whose time of issue is further ahead of a node's clock: only a
   * thief of a key can have signed it, and its revocation would be kept too long.
   */
  issuedAheadMs: 24 * 3_600_000,
  /**
   * How often a node reads the new rows of a feed (services/row-feed.ts): revocations and restrictions. And how long one
   * call of it may take.
   */
  feedPollMs: 500,
  feedCallMs: 3_000,
  /**
   * A node whose copy is older refuses logged-in requests with `unavailable` for the revocations; for the restrictions
   * it goes on with its copy, and its health says so.
   */
  feedStaleMs: 10_000,
  /**
   * How far each read goes back before the time of the last one. A row whose commit took `feedWriteMs` or more is
   * written again, so this must be longer.
   */
  feedOverlapMs: 10_000,
  /** How often each node reads everything besides, a page a poll. */
  feedSweepEveryMs: 3_600_000,
  feedWriteMs: 5_000,
  feedWrites: 3,
  feedRowsPerPage: 3_000,
  /** Mutes by an anchor and her moderators that are in force in one room. */
  roomMutesInForce: 1_000,
  roomMuteMinutes: 7 * 24 * 60,
  /** A mute or a ban in one room lasts no longer. Rooms are single broadcasts, and nodes hold what is in force. */
  roomRestrictionMs: 30 * 24 * 3_600_000,
  restrictionReasonChars: 200,
  /** How long an erased user is banned, whose tokens are all revoked: nodes that are cut off end the connection by then. */
  erasureBanMs: 24 * 3_600_000,
  /** The users of one call who may be banned. */
  bannedPerCall: 500,
  /** How often expired sessions and revocations are deleted, in statements of so many rows. */
  purgeEveryMs: 60_000,
  purgeRows: 1_000,
  purgeLeaseMs: 30_000,
  /** How long revocations are kept after their tokens expired: more than clocks of gateway and database differ. */
  revocationKeptMs: 3_600_000,
});
