import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { PublishOptions } from "../../mixins/jetstream.mixin.ts";
import { type AcceptedGift, partitionOf } from "./accepted-gift.ts";
import { groupText } from "./gift-group.ts";
import type { GiftState } from "./gift-state.ts";

export const settlerDurable = "gift-settler";

/** The subject of an accepted gift, without the namespace's prefix. */
export function subjectOf({ senderId }: AcceptedGift): string {
  return `gift.send.${partitionOf(senderId)}`;
}

/** A gift with its JSON, made once. */
export interface QueuedGift {
  readonly gift: AcceptedGift;
  readonly json: string;
}

/** Gifts of one partition that fit into one message. */
export interface QueuePart<Gift extends QueuedGift = QueuedGift> {
  readonly partition: number;
  readonly gifts: readonly Gift[];
}

/** Divides gifts into messages. Those of a sender stay in their order, and are in one message if they fit. */
export function partsOf<Gift extends QueuedGift>(gifts: readonly Gift[]): QueuePart<Gift>[] {
  const bounds = {
    count: limits.gift.groupGifts,
    bytes: limits.bus.listBytes,
    bytesOf: ({ json }: QueuedGift) => Buffer.byteLength(json),
  };
  return [...Map.groupBy(gifts, ({ gift }) => partitionOf(gift.senderId))].flatMap(([partition, own]) =>
    cutList(own, bounds, ({ gift: { orderId } }, bytes) => {
      throw fail("messageTooLarge", { orderId, bytes, most: limits.bus.listBytes });
    }).map((some) => ({ partition, gifts: some })),
  );
}

/**
 * Puts gifts into the queue as one signed message; durable when it resolves. The message's id is made of the orders and
 * their contents. So JetStream drops a repeat of the same gifts (within its window of two minutes), and never a gift
 * with other content. Fails: unavailable. If `mayHaveHappened` is true, the gifts may be in the queue.
 */
export async function enqueue(
  { jetstream, signatures }: Pick<GiftState, "jetstream" | "signatures">,
  { partition, gifts }: QueuePart,
  about: Pick<PublishOptions, "requestId" | "traces">,
): Promise<void> {
  const subject = `gift.send.${partition}`;
  const msgId = signatures.idOf(gifts.map(({ gift }) => `${gift.orderId} ${gift.contentHash}`).join(","));
  const text = signatures.sign(subject, groupText(gifts.map(({ json }) => json)));
  await jetstream.publishText(subject, text, { msgId, ...about });
}
