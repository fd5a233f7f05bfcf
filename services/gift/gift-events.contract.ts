import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { amount, eventTime, id, integer, userId } from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";

/** The events of the gift service. */

/** The id of a gift's record. */
const recordId = z.string().regex(/^[1-9]\d{0,19}$/);

const settledGift = z.object({
  /** The gift's business id: count each once. */
  orderId: z.string().min(1).max(64),
  /**
   * The id of its row in t_gift_record, the same in every repeat of the event; about ascending, with few gaps. Messages of
   * an earlier release lack it.
   */
  recordId: recordId.optional(),
  status: z.enum(["succeeded", "failed"]),
  /** Why it failed: a name of config/errors.ts. */
  reason: z.string().max(40).optional(),
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: id,
  /** The price of one when the gift was accepted, coins. */
  price: id,
  /** The receiver's share. The points (100 to a coin) are exact; `income` is the whole coins, rounded down. */
  income: amount,
  incomePoints: amount,
  /** 0 normal, 1 PK. */
  type: integer(0, 1).default(0),
  /** The effect's file. */
  url: z.string().max(limits.gift.urlChars).default(""),
  /** When it was accepted: JetStream's time of its message in the queue, floored to milliseconds. */
  time: eventTime,
});
/** A settled gift as consumers of `gift.settled` see it. */
export type SettledGift = z.infer<typeof settledGift>;
/** The same as this release publishes it. */
export type RecordedGift = SettledGift & { readonly recordId: string };

const deadGift = z.object({
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: id,
  /** The price of one when the gift was accepted, coins. */
  price: id,
  /** When it was accepted, as in `gift.settled`. */
  time: eventTime,
});

/** The most bytes of a settled gift as JSON in UTF-8, without escapes: lists are cut with room for those. */
export function settledGiftBytes({ orderId, url }: Pick<SettledGift, "orderId" | "url">): number {
  return 490 + Buffer.byteLength(orderId) + Buffer.byteLength(url);
}

export const giftEvents = {
  /**
   * Whatever follows a gift is a consumer of this event. It is published after the charge and the record, and before
   * the gift leaves the queue. Delivery is at least once, and a repeat may be divided into other messages, so consumers
   * identify gifts by order id.
   */
  "gift.settled": z.object({ gifts: z.array(settledGift).min(1).max(limits.gift.settleBatch) }),
  /**
   * Genuine gifts of the queue became dead letters: a person decides about them, and may replay them. Published after
   * the dead letter is stored and before the gift leaves the queue. Delivery is at least once. A gift whose dead letter
   * is replayed keeps its time, and `gift.settled` follows for it.
   */
  "gift.deadLettered": z.object({ gifts: z.array(deadGift).min(1).max(limits.gift.settleBatch) }),
  /** Of the seals of the audit. */
  "gift.books-sealed": sealedEvent,
};
