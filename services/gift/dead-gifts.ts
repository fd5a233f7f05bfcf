import type { Redis } from "ioredis";
import type { Log } from "../../broker/log.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { type AcceptedGift, giftTimeMs } from "./accepted-gift.ts";
import { forgetAccepted } from "./accepted-orders.ts";

interface Reporting extends JetStreamState {
  readonly redis: Redis;
  readonly logger: Log;
}

/**
 * For the settler's channel: a gift became a dead letter. A person decides about it, so a later loss of the queue must
 * not put it back, and `gift.deadLettered` tells the others. Fails: unavailable; then its message stays in the queue.
 */
export async function reportDead(this: Reporting, data: unknown, storedAtMs: number): Promise<void> {
  const gift = data as AcceptedGift;
  forgetAccepted(this.redis, [gift], this.logger);
  const { orderId, senderId, receiverId, roomId, giftId, count, price } = gift;
  const time = new Date(giftTimeMs(gift, storedAtMs)).toISOString();
  const dead = { orderId, senderId, receiverId, roomId, giftId, count, price, time };
  const { subject, payload, msgId } = durableEvent("gift.deadLettered", orderId, { gifts: [dead] });
  await this.jetstream.publish(subject, payload, { msgId });
}
