import type { ServiceName } from "../broker/service-names.ts";
import { deadLetters, type StreamDefinition } from "../mixins/jetstream/definitions.ts";
import { auditorEvents } from "./auditor/auditor.contract.ts";
import { battleEvents } from "./battle/battle.contract.ts";
import { giftEvents } from "./gift/gift.contract.ts";
import { livingRoomEvents } from "./living-room/living-room.contract.ts";
import { paymentEvents } from "./payment/payment.contract.ts";
import { platformEvents } from "./platform/platform.contract.ts";
import { ranksAreOn } from "./rank-settings.ts";
import { sealedEvents } from "./sealed-event.ts";
import { staffEvents } from "./staff/staff.contract.ts";
import { battleStream, eventStream, giftStream, notificationStream, topicStream } from "./streams.ts";
import { userEvents } from "./user/user.contract.ts";
import { walletEvents } from "./wallet/wallet.contract.ts";
import { webhookEvents } from "./webhook/webhook.contract.ts";

/**
 * Which service publishes, consumes and reads which stream: the one table from which the permissions of logins at NATS
 * are made (stream-permissions.ts), and by which the provisioner decides who may have a stream or a consumer. A test
 * compares it with the services. Names and subjects are without the namespace's prefix.
 */

/** A durable consumer of a service; of a stream with partitions, one for each of them. */
export interface ServiceConsumer {
  readonly stream: StreamDefinition;
  readonly durable: string;
  readonly subject?: string;
  /** It checks signatures. Only such a consumer may write dead letters that count as signed. */
  readonly signed?: true;
}

export interface StreamAccess {
  readonly publishes: readonly string[];
  /** The streams whose state it watches, and which it may ask for where they are missing. */
  readonly streams: readonly StreamDefinition[];
  readonly consumers: readonly ServiceConsumer[];
  /** Streams whose consumers it lists, those of other services too. A service with an outbox has it on its logs. */
  readonly lists?: readonly StreamDefinition[];
  /** Streams of which it gets single messages without a consumer. */
  readonly reads?: readonly StreamDefinition[];
  /** Streams of which it removes single messages. */
  readonly removes?: readonly StreamDefinition[];
}

const nothing: StreamAccess = { publishes: [], streams: [], consumers: [] };

const eventSubject = (name: string) => `event.${name}`;
const eventsOf = (events: object) => Object.keys(events).map(eventSubject);
const onEvents = (durable: string, name: string): ServiceConsumer => ({
  ...{ stream: eventStream, durable, subject: eventSubject(name) },
});

/** Of the rank service, unless RANKS=off. */
const counting: StreamAccess = {
  publishes: [],
  streams: [eventStream],
  consumers: [onEvents("rank-gifts", "gift.settled")],
};

export const streamAccess: Readonly<Record<ServiceName, StreamAccess>> = {
  "api-gateway": nothing,
  "admin-gateway": nothing,
  user: { publishes: eventsOf(userEvents), streams: [eventStream], consumers: [], lists: [eventStream] },
  "living-room": {
    publishes: eventsOf(livingRoomEvents),
    streams: [eventStream],
    lists: [eventStream],
    consumers: [
      onEvents("living-room-room-closed", "room.closed"),
      onEvents("living-room-account-frozen", "account.frozen"),
      onEvents("living-room-user-restricted", "user.restricted"),
      onEvents("living-room-room-opened", "room.opened"),
    ],
  },
  gift: {
    publishes: [...giftStream.subjects, ...eventsOf(giftEvents)],
    streams: [giftStream, eventStream],
    consumers: [
      { stream: giftStream, durable: "gift-settler", signed: true },
      onEvents("gift-effects", "gift.settled"),
    ],
    // The depth of its queue in gifts (gift/queue-depth.ts), and its outbox.
    lists: [giftStream, eventStream],
    // The same, and where an order is, for staff (gift/story.ts).
    reads: [giftStream, eventStream, deadLetters],
  },
  wallet: {
    publishes: eventsOf(walletEvents),
    streams: [topicStream, eventStream],
    lists: [topicStream, eventStream],
    consumers: [
      { stream: topicStream, durable: "wallet-recharge", subject: "pay.recharge", signed: true },
      { stream: topicStream, durable: "wallet-refund", subject: "pay.refund", signed: true },
    ],
  },
  payment: {
    publishes: [...topicStream.subjects, ...eventsOf(paymentEvents)],
    streams: [topicStream, eventStream],
    consumers: [],
    lists: [topicStream, eventStream],
  },
  "im-router": { publishes: notificationStream.subjects, streams: [notificationStream], consumers: [] },
  "im-server": {
    publishes: [],
    streams: [notificationStream],
    consumers: [],
    // The unacked notifications of its users: im-server/notification-store.ts.
    reads: [notificationStream],
    removes: [notificationStream],
  },
  notification: {
    publishes: [],
    streams: [eventStream],
    consumers: [
      onEvents("notification-payment-received", "wallet.credited"),
      onEvents("notification-gift-failed", "gift.settled"),
    ],
  },
  auditor: {
    publishes: eventsOf(auditorEvents),
    streams: [eventStream],
    lists: [eventStream],
    consumers: [
      onEvents("auditor-wallet-sealed", sealedEvents.wallet),
      onEvents("auditor-gift-sealed", sealedEvents.gift),
      onEvents("auditor-payment-sealed", sealedEvents.payment),
      onEvents("auditor-auditor-sealed", sealedEvents.auditor),
      onEvents("auditor-platform-sealed", sealedEvents.platform),
      onEvents("auditor-staff-sealed", sealedEvents.staff),
    ],
  },
  // It makes them all, and handles dead letters for staff, by rights of its own (stream-permissions.ts).
  provisioner: nothing,
  battle: {
    publishes: [...battleStream.subjects, ...eventsOf(battleEvents)],
    streams: [battleStream, eventStream],
    lists: [battleStream, eventStream],
    consumers: [
      onEvents("battle-live-scores", "gift.settled"),
      onEvents("battle-dead-letters", "gift.deadLettered"),
      onEvents("battle-room-closed", "room.closed"),
      onEvents("battle-account-frozen", "account.frozen"),
    ],
    // The times of its messages: battle/clock.ts.
    reads: [battleStream],
  },
  get rank() {
    return ranksAreOn() ? counting : nothing;
  },
  archiver: nothing,
  platform: { publishes: eventsOf(platformEvents), streams: [eventStream], consumers: [], lists: [eventStream] },
  webhook: {
    publishes: eventsOf(webhookEvents),
    streams: [eventStream],
    lists: [eventStream],
    consumers: [{ stream: eventStream, durable: "webhook-events" }],
  },
  staff: { publishes: eventsOf(staffEvents), streams: [eventStream], consumers: [], lists: [eventStream] },
};

/** Every stream of the system. */
export const allStreams: readonly StreamDefinition[] = [
  giftStream,
  topicStream,
  notificationStream,
  eventStream,
  battleStream,
  deadLetters,
];
