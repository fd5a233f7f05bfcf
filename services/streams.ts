import { config } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import type { StreamDefinition } from "../mixins/jetstream.mixin.ts";

/**
 * Accepted gifts that wait to be settled, in groups. HTTP 200 of gift/send promises that they will be. The server
 * counts messages and bytes, not gifts: the bytes bound how many gifts wait, however many a message holds.
 */
export const giftStream: StreamDefinition = {
  name: "GIFTS",
  subjects: ["gift.send.*"],
  kind: "queue",
  partitions: limits.gift.partitions,
  writtenPartitions: limits.gift.sendPartitions,
  maxMessages: limits.jetstream.giftQueueMessages,
  maxBytes: limits.jetstream.giftQueueBytes,
};

/**
 * Paid orders and refunds by topic (t_pay_topic), on their way to the wallet. At its bound it refuses new ones, which
 * wait in payment's outbox: the oldest may be unread, and are not dropped for them. What has been read makes room.
 */
export const topicStream: StreamDefinition = {
  name: "PAY",
  subjects: ["pay.*"],
  kind: "log",
  maxAgeMs: limits.jetstream.topicsAgeMs,
  maxBytes: limits.jetstream.topicsBytes,
  refusesAtBound: true,
  trims: "read",
};

/** Notifications without an ack. Beyond the bounds the oldest are dropped. */
export const notificationStream: StreamDefinition = {
  name: "NOTIFICATIONS",
  subjects: ["notification.*"],
  kind: "log",
  maxAgeMs: limits.jetstream.notificationsAgeMs,
  maxBytes: limits.jetstream.notificationsBytes,
  keepLatest: { perSubject: limits.jetstream.notificationsPerUser, messages: limits.jetstream.notificationsKept },
};

/** The subject of a user's notifications in their stream, without the namespace's prefix. */
export function notificationSubject(userId: string): string {
  return `notification.${userId}`;
}

/**
 * Where battles get their times: the timestamp of a stored message is the start or the end of a battle
 * (battle/clock.ts). A message is read once, so the newest of a subject is enough.
 */
export const battleStream: StreamDefinition = {
  name: "BATTLES",
  subjects: ["battle.>"],
  kind: "log",
  maxAgeMs: limits.battle.streamAgeMs,
  maxBytes: limits.battle.streamBytes,
  keepLatest: { perSubject: 1, messages: limits.battle.streamMessages },
};

/** Events for other services and other systems. Its bytes are bounded: a consumer that is away may find a gap. */
export const eventStream: StreamDefinition = {
  name: "EVENTS",
  subjects: ["event.>"],
  kind: "log",
  maxAgeMs: limits.jetstream.eventsAgeMs,
  get maxBytes() {
    return config().EVENTS_MAX_BYTES;
  },
};
