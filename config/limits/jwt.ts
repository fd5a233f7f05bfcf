/** Logins by the platform's JWT. */
export const jwtLimits = Object.freeze({
  tokenChars: 4_096,
  /** How far the clocks of the platform and of a gateway may differ. */
  leewayMs: 60_000,
  /** Verified JWTs, and users of the platform, that a gateway node keeps. */
  loginsKept: 50_000,
  usersKept: 200_000,
  /** A gateway asks again whose a JWT is, of which the login is revoked, at most once in so long for each user. */
  askAgainMs: 1_000,
  /** The names in a user's JWTs are written at most once in so long, on each gateway node. */
  namesEveryMs: 60_000,
  /** One read of the platform's keys: its time, the bytes of the answer and the keys in it. */
  keysTimeoutMs: 3_000,
  keysBytes: 256 * 1_024,
  keysInSet: 100,
  /** How often the keys are read, and how soon again after a read that failed. */
  keysEveryMs: 60_000,
  keysAgainMs: 5_000,
  /** The keys are read for a JWT with an unknown key at most once in so long, for all requests of a node together. */
  unknownKeyEveryMs: 30_000,
});
