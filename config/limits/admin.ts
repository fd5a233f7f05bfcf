/** Of the staff's listener. */
export const adminLimits = Object.freeze({
  /** The default of ADMIN_REQUESTS_PER_IP_PER_MINUTE. */
  requestsPerAddressPerMinute: 1_200,
  /** The default of ADMIN_FAILURES_PER_IP_PER_MINUTE: requests without a valid session. */
  failuresPerAddressPerMinute: 60,
  /** A session's token as it may be presented. */
  sessionChars: 250,
  /** Sessions of which a node remembers that they were valid. */
  sessionsKnown: 1_000,
  /** How deep the audit's copy of the params is made: what is deeper is left out. */
  paramsDepth: 8,
  /** How long a browser uses a packaged file of the page without asking, s. */
  packagedFileS: 3_600,
});
