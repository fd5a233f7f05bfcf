import { randomUUID } from "node:crypto";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../services/gift/accepted-gift.ts";
import { giftStream } from "../../services/streams.ts";
import type { Closing } from "../support/closing.ts";
import { DurableQueue, type QueuedMessage } from "../support/durable-queue.ts";
import { anchorId, senderId } from "../support/seed.ts";

export const rooms = 1_000;
export const giftPrice = 90;

/** A sender's gift to the anchor of room n modulo 1000. */
export function giftOf(n: number, sender: string): AcceptedGift {
  const room = n % rooms;
  const request = { giftId: 22, roomId: room + 1, receiverId: anchorId(room), type: 0, count: 1 };
  return {
    ...request,
    orderId: randomUUID(),
    senderId: sender,
    price: giftPrice,
    sharePercent: 50,
    url: "../svga/angel.svga",
    contentHash: contentHashOf(request),
    acceptedAt: new Date().toISOString(),
  };
}

/** The gift as gift.send puts it into the queue; by default sender n sends gift n. */
export function queuedGift(n: number, sender = senderId(n)): QueuedMessage {
  const gift = giftOf(n, sender);
  return { subject: `gift.send.${partitionOf(sender)}`, id: gift.orderId, payload: gift };
}

/** The queue of accepted gifts. */
export function openGiftQueue(closing: Closing): Promise<DurableQueue> {
  return DurableQueue.open(giftStream, closing);
}
