/** Of what staff look up (docs/decisions/0078-what-a-story-is-made-of.md). */
export const lookupLimits = Object.freeze({
  queryChars: 256,
  /** Users whose phones have the same end; a search shows so many. */
  usersFound: 50,
  /** Orders of one transaction of a provider. */
  ordersFound: 50,
  /** The last digits of a phone by which users are found. */
  phoneEndDigitsMin: 4,
  phoneEndDigitsMax: 8,
  /** The last digits of a phone that leave the user service. */
  phoneEndShown: 4,
  /** Of one order: the webhooks, marks and differences that its story has, the oldest first. */
  storyRows: 100,
  /** Of a user or a room: those in force, the newest ones. */
  restrictionsShown: 20,
  /** Of one order: the moves that persons asked for, the newest ones. */
  storyProposals: 50,
  /** Its dead letters on which persons decided, the latest ones. */
  storyDeadLetters: 20,
  /** The sender's refunds for which a gift's coins are attributed, the first ones after the gift. */
  refundsAttributed: 5,
  /** Messages that are read to find an order: of each stream of the queue, of the dead letters, and of the events. */
  queueMessagesRead: 200,
  deadLettersRead: 500,
  eventsRead: 100,
  /** A gift is looked for in the queue from so long before its acceptance by a node's clock on. */
  queueMarginMs: 500,
  /** Its event from so long before its record, by the clock of the database; it is published right after that. */
  eventMarginMs: 2_000,
  /** An event that is not there so long after the record may still be published. */
  eventAwaitedMs: 60_000,
  /** Requests to find a time in a stream: a stream of 2^53 messages needs no more. */
  stepsToTime: 64,
});
