import { fieldsOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import type { MessageSplit } from "../../mixins/jetstream.mixin.ts";
import { type AcceptedGift, parseAcceptedGift } from "./accepted-gift.ts";

/**
 * A message of the gift queue without its signature, which is one for all gifts: the gifts of one partition that were
 * accepted together. Signed it is `{v, keyId, sig, gifts}` (mixins/jetstream/signatures.ts).
 */
export interface GiftGroup {
  readonly gifts: readonly AcceptedGift[];
}

/** A group as JSON, of gifts that are JSON already. */
export function groupText(gifts: readonly string[]): string {
  return `{"gifts":[${gifts.join(",")}]}`;
}

/** The gifts of a genuine message of the queue, none of them checked yet. @throws Error where it is no group. */
export function giftsOf(data: unknown): readonly unknown[] {
  const { gifts } = fieldsOf(data) ?? {};
  if (!Array.isArray(gifts) || gifts.length === 0) throw new Error("it is no group of gifts");
  return gifts;
}

const markerField = "marker";

/**
 * A message without gifts, for JSON: once the messages up to it have left its stream, all gifts before it are settled
 * (queue-watermark.ts).
 */
export const marker = { [markerField]: true };

/** A gift that becomes a dead letter keeps the time of its first message: a replay is another message. */
function withTime(gift: unknown, storedAtMs: number): AcceptedGift {
  const fields = fieldsOf(gift);
  if (!fields) return gift as AcceptedGift;
  return { storedAt: new Date(storedAtMs).toISOString(), ...fields } as AcceptedGift;
}

/**
 * How the settler's channel reads messages. Each gift is settled or made a dead letter by itself; those of one sender
 * are settled in their order.
 */
export const giftReading = {
  split: {
    items: giftsOf,
    alone: (gift: unknown, storedAtMs: number): GiftGroup => ({ gifts: [withTime(gift, storedAtMs)] }),
    isMarker: (data: unknown) => fieldsOf(data)?.[markerField] === true,
    leastBytes: limits.gift.queuedLeastBytes,
  } satisfies MessageSplit,
  parse: parseAcceptedGift,
  key: ({ senderId }: AcceptedGift) => senderId,
};
