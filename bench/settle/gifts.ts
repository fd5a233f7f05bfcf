import { randomUUID } from "node:crypto";
import type { MessageSignatures } from "../../mixins/jetstream/signatures.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../services/gift/accepted-gift.ts";
import { groupText } from "../../services/gift/gift-group.ts";
import { giftSignatures } from "../../services/signing-keys.ts";
import { giftStream } from "../../services/streams.ts";
import type { Closing } from "../support/closing.ts";
import { DurableQueue, type QueuedMessage } from "../support/durable-queue.ts";
import { anchorId, senderId } from "../support/seed.ts";

export const rooms = 1_000;
export const giftPrice = 90;

/** A sender's gift to the anchor of a room, as it is accepted. */
export function giftTo(room: number, sender: string): AcceptedGift {
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

/** A sender's gift to the anchor of room n modulo 1000. */
export const giftOf = (n: number, sender: string): AcceptedGift => giftTo(n % rooms, sender);

/** A message of the queue with gifts of one partition, signed as acceptance does. */
export function queuedMessage(
  signatures: Pick<MessageSignatures, "sign">,
  partition: number,
  gifts: readonly AcceptedGift[],
): QueuedMessage {
  const subject = `gift.send.${partition}`;
  const text = signatures.sign(subject, groupText(gifts.map((gift) => JSON.stringify(gift))));
  return { subject, id: (gifts[0] as AcceptedGift).orderId, text };
}

/** The gifts of a message: what acceptance puts into one under load, in `bench accept`. */
export const giftsPerMessage = 25;

/**
 * The messages of `count` gifts as acceptance puts them into the queue: by partition, in the order of acceptance. By
 * default sender n sends gift n.
 */
export function* queuedGroups(count: number, sender: (n: number) => string = senderId): Generator<QueuedMessage> {
  const parts = new Map<number, AcceptedGift[]>();
  const signatures = giftSignatures();
  for (let n = 0; n < count; n++) {
    const gift = giftOf(n, sender(n));
    const partition = partitionOf(gift.senderId);
    const gifts = parts.get(partition) ?? [];
    gifts.push(gift);
    parts.set(partition, gifts);
    if (gifts.length < giftsPerMessage) continue;
    parts.delete(partition);
    yield queuedMessage(signatures, partition, gifts);
  }
  for (const [partition, gifts] of parts) yield queuedMessage(signatures, partition, gifts);
}

/** The queue of accepted gifts. */
export function openGiftQueue(closing: Closing): Promise<DurableQueue> {
  return DurableQueue.open(giftStream, closing);
}
