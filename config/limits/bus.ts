export const busLimits = Object.freeze({
  /**
   * The most bytes of the list in one call, answer or publication, as JSON; names, ids and headers are added to it.
   */
  listBytes: 512 * 1024,
  /** The least `max_payload` of nats-server, which is also its default. */
  maxPayloadBytes: 1024 * 1024,
  /**
   * A node that is younger than this ends when another node has its id; an older one answers, at this interval at the
   * most.
   */
  sameIdEndsMs: 5_000,
  /** Of a node id; the columns and keys that hold one have at least this length. */
  nodeIdChars: 180,
  /** A refused packet or call is logged once in this time with the same reason, sender and action, */
  refusalLogMs: 10_000,
  /** and in all that many times. The metric counts every one. */
  refusalLogLines: 100,
  /** After this time a subscription that nats-server refused is tried again. */
  subscribeAgainMs: 1_000,
  /** The subjects and roles of other nodes that a node remembers; beyond it they are read anew. */
  knownSubjects: 5_000,
  knownRoles: 1_000,
  /** Of what a node says of itself, which every other node keeps, */
  infoBytes: 64 * 1024,
  /** of the actions of a service in it, and of its events, */
  namesOfService: 100,
  /** of the services of a node of a later release that are not known here, */
  otherServices: 20,
  /** and of the nodes of one role, with those that are gone until they are forgotten. */
  nodesOfRole: 200,
});
