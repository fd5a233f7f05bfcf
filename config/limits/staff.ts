export const staffLimits = Object.freeze({
  /** Persons of the staff, disabled ones too: names are never used again. */
  personsMax: 1_000,
  passwordCharsMin: 12,
  passwordCharsMax: 200,
  /** How long a setup code is valid. */
  setupCodeMs: 24 * 3_600_000,
  /**
   * How long a person decides on no proposal who was added or reset on the page, or got a role there that decides: as long
   * as a proposal waits.
   */
  decidesAfterMs: 72 * 3_600_000,
  /** How long a session lasts, however much it is used, and how many a person has; the oldest is ended beyond it. */
  sessionMs: 12 * 3_600_000,
  sessionsPerPerson: 20,
  /** One step of an authenticator app, and how many steps before and after the present one are accepted. */
  totpStepSeconds: 30,
  totpLeewaySteps: 1,

  /** scrypt, of the OWASP sheet's choices: 32 MiB a hash. */
  scryptCost: 2 ** 15,
  scryptBlockSize: 8,
  scryptParallel: 3,
  /**
   * Hashes that a node makes at once, and that wait: for callers of known addresses, and the same again for others. Each
   * takes one of the four threads of libuv, which files and names of hosts need too.
   */
  hashesAtOnce: 1,
  hashesWaiting: 20,

  /** Failed logins without a pause: of one person from one address, of one address, and of one person from strangers. */
  freePairFailures: 5,
  freeAddressFailures: 20,
  freePersonFailures: 20,
  /** The first pause; each further failure doubles it, up to the most. */
  firstPauseMs: 1_000,
  pauseMsMax: 15 * 60_000,
  /** Strangers' failures keep other strangers from a person's login no longer than this. */
  personPauseMsMax: 60_000,
  /** Failures count until the last one is so old. */
  failuresKeptMs: 24 * 3_600_000,
  /** From which addresses somebody logged in is known for so long, at most so many of each person. */
  addressesKeptMs: 90 * 24 * 3_600_000,
  addressesPerPerson: 50,

  /** The bytes of the params in a row of the audit; longer ones are cut. */
  auditParamsBytes: 8_192,
  aboutChars: 100,
  routeChars: 100,
  auditPage: 100,

  /** How long whoever decided on a dead letter may be at it: longer than the calls and statements of it take. */
  deadLetterLeaseMs: 30_000,

  /** How often sessions, failures and addresses that have expired are removed, and so many rows in one statement. */
  purgeEveryMs: 60_000,
  purgeRows: 1_000,
  purgeLeaseMs: 30_000,
});
