import { fieldsOf } from "../../broker/unknown-values.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { MessageSplit } from "../../mixins/jetstream.mixin.ts";
import { type AcceptedGift, parseAcceptedGift } from "./accepted-gift.ts";

/** The version of the envelope that this release writes. */
const version = 1;

/**
 * A message of the gift queue: the gifts of one partition that were accepted together. `keyId` and `sig` are empty; they
 * are reserved for a signature over the gifts.
 */
export interface GiftGroup {
  readonly v: number;
  readonly keyId: string;
  readonly sig: string;
  readonly gifts: readonly AcceptedGift[];
}

export function groupOf(gifts: readonly AcceptedGift[]): GiftGroup {
  return { v: version, keyId: "", sig: "", gifts };
}

/** The same as JSON, of gifts that are JSON already. */
export function groupText(gifts: readonly string[]): string {
  return `{"v":${version},"keyId":"","sig":"","gifts":[${gifts.join(",")}]}`;
}

/**
 * The gifts of a message of the queue, none of them checked yet. A message that is a single gift was accepted by an
 * earlier release, or is a dead letter of one that was put back. @throws Error where it is neither, or of a later version.
 */
export function giftsOf(data: unknown): readonly unknown[] {
  const { v, gifts, orderId } = fieldsOf(data) ?? {};
  if (v === undefined && orderId !== undefined) return [data];
  if (v !== version) throw new Error("it is neither a group of gifts of a known version nor a gift");
  if (!Array.isArray(gifts) || gifts.length === 0) throw new Error("it is a group without gifts");
  return gifts;
}

/**
 * How the settler's channel reads messages. Each gift is settled or made a dead letter by itself; those of one sender
 * are settled in their order.
 */
export const giftReading = {
  split: {
    items: giftsOf,
    alone: (gift: unknown) => groupOf([gift as AcceptedGift]),
    leastBytes: limits.gift.queuedLeastBytes,
  } satisfies MessageSplit,
  parse: (data: unknown) => parseAcceptedGift(data, config().ANCHOR_SHARE_PERCENT),
  key: ({ senderId }: AcceptedGift) => senderId,
};
