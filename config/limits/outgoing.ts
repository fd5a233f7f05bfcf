/** HTTP calls to receivers outside: webhooks and the gate. Bounds of one `OutgoingHttp` in one process. */
export const outgoingLimits = Object.freeze({
  /** Calls under way at once, in all and to one origin. More are refused as `busy`. */
  calls: 1_024,
  callsPerOrigin: 512,
  /** Connections to one origin that are kept open while nothing uses them, and for how long. */
  idlePerOrigin: 8,
  idleMs: 4_000,
  /** The head of an answer. */
  headBytes: 16 * 1_024,
  urlChars: 2_048,
  /** A query to a DNS server, and how often it is asked. */
  dnsTimeoutMs: 2_000,
  dnsTries: 2,
  /** Names that one process asks of its machine at once: each holds one of four threads. */
  machineLookups: 2,
  /** How long IPv4 addresses of a name wait for its IPv6 addresses (RFC 8305). */
  ipv6DelayMs: 50,
  /** The addresses of one name that are tried. */
  addressesPerName: 16,
});
