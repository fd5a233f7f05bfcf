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
  /** The sender's refunds for which a gift's coins are attributed, the first ones after the gift. */
  refundsAttributed: 5,
  /** Messages that are read to find an order: of each stream of the queue, of the dead letters, and of the events. */
  queueMessagesRead: 100,
  deadLettersRead: 500,
  eventsRead: 300,
  /** How far the clocks of a node, the database and JetStream may differ where a message is looked for by a time. */
  clockMarginMs: 60_000,
  /** The same for an event, which is published right after its record is written. */
  eventMarginMs: 2_000,
  /** Requests to find a time in a stream: a stream of 2^53 messages needs no more. */
  stepsToTime: 64,
});
