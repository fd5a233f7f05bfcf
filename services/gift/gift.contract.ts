import { z } from "zod";
import type { FailureName } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { amount, cursor, eventTime, id, integer, isoTime, limit, operator, orderId, text, userId } from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";

/** The actions and events of the gift service for other services. */
export interface CatalogueGift {
  giftId: number;
  price: number;
  giftName: string;
  /** 0 not on sale, 1 on sale. */
  status: number;
  coverImgUrl: string;
  svgaUrl: string;
  createTime: string;
  updateTime: string;
}

export interface GiftOrder {
  orderId: string;
  status: "accepted" | "succeeded" | "failed";
  /** The name of a failure in config/errors.ts. */
  reason?: string;
  giftId: number;
  count: number;
  /** The price of one when it was accepted, coins. */
  price: number;
  receiverId: string;
  roomId: number;
  time: string;
}

/** An order for operators. Before it is settled it has no record, so no `id`. */
export interface FoundGift extends GiftOrder {
  id?: string;
  senderId: string;
}

export interface GiftRecord extends FoundGift {
  id: string;
}

export interface GiftEdit {
  giftName?: string;
  price?: number;
  coverImgUrl?: string;
  svgaUrl?: string;
  status?: number;
}

/**
 * The answer to one gift of a group: accepted, or not with the failure and its data, as `gift.send` fails. Where the
 * failure is `unavailable`, `data.mayHaveHappened` tells whether the gift may be accepted (broker/failure.ts).
 */
export type GiftAnswer =
  | { readonly orderId: string }
  | { readonly failure: FailureName; readonly data?: Readonly<Record<string, unknown>> };

const giftName = text(1, limits.gift.nameChars);
const price = integer(1, limits.gift.priceMaxCoins);
const fileUrl = text(0, limits.gift.urlChars);
const { idempotencyKeyMinChars: keyMin, idempotencyKeyMaxChars: keyMax } = limits.http;
const requestId = z
  .string()
  .regex(new RegExp(`^[A-Za-z0-9_-]{${keyMin},${keyMax}}$`))
  .meta({
    description:
      "The idempotency key, chosen by the client, one for each gift: the same key is always the same order and one charge.",
  });
/** Version 4, so it cannot be the order of a request id (version 5). */
const randomOrderId = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

/** The parameters of a gift. */
const sentGift = {
  userId,
  giftId: id,
  roomId: id,
  receiverId: userId,
  type: integer(0, 1).default(0),
  count: integer(1, limits.gift.countMax).default(1),
  requestId: requestId.optional(),
  orderId: randomOrderId.optional(),
};

const settledGift = z.object({
  /** The gift's business id: count each once. */
  orderId: z.string().min(1).max(64),
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
  /** When it was accepted. */
  time: eventTime,
});
/** A settled gift as other services see it. */
export type SettledGift = z.infer<typeof settledGift>;

/** The most bytes of a settled gift as JSON in UTF-8, without escapes: lists are cut with room for those. */
export function settledGiftBytes({ orderId, url }: SettledGift): number {
  return 450 + Buffer.byteLength(orderId) + Buffer.byteLength(url);
}

/** A page of `gift.settledSince`. */
export interface SettledPage {
  gifts: SettledGift[];
  nextCursor: string | null;
  until: string;
}

export const giftActions = {
  /**
   * A page of the gifts on sale after the gift id `after`, by id, as many as one message carries. `nextAfter` is the
   * `after` of the next page, `null` on the last one.
   */
  catalogue: action({ after: id.optional() }).returns<{ list: CatalogueGift[]; nextAfter: number | null }>(),
  /**
   * Accepts a gift: durable in JetStream when it returns, settled later. The same `requestId` of the same sender is
   * always the same order (`orderIdOf` in services/gift-order-id.ts). Without `requestId` the order is `orderId`, a
   * random UUID that the caller makes so that it knows the order even without an answer; without both an id is made
   * here. Fails: giftUnknown, giftToSelf, roomNotLive, balanceShort, accountUnusable (the sender's or the receiver's),
   * idempotencyConflict, tooMany (GIFTS_PER_USER_PER_SECOND), unavailable. After `unavailable` the gift was not accepted,
   * unless `mayHaveHappened` (broker/failure.ts) is true: then it may be settled. Only a request with a `requestId` may
   * be repeated.
   */
  send: action(sentGift).returns<{ orderId: string }>(),
  /**
   * Accepts gifts together, each like `send` and with its own answer, in their order. An invalid gift gets its failure
   * and does not affect the others. The gifts of one sender go to one node, the one that pulls the partition of the
   * sender (`partitionOf` in services/gift-partitions.ts, `nodeOfPartition` in mixins/jetstream/partitions.ts): there
   * repeats are recognized without Redis, and the rate of a user is counted.
   */
  sendMany: action({ gifts: z.array(z.unknown()).min(1).max(limits.gift.groupGifts) }).returns<{
    answers: GiftAnswer[];
  }>(),
  /**
   * An order of the user. Fails: giftOrderUnknown, also after an unanswered `send`, until the gift is settled or a
   * repeat of the request is answered.
   */
  order: action({ userId, orderId }).returns<GiftOrder>(),
  /** Newest first; `cursor` is a record id. */
  records: action({
    userId,
    direction: z.enum(["sent", "received"]),
    roomId: id.optional(),
    cursor,
    limit,
  }).returns<{ list: GiftRecord[]; nextCursor: string | null }>(),
  /** Operators. Fails: giftIdTaken. In force on every node within a second. */
  create: action({
    giftId: id,
    giftName,
    price,
    coverImgUrl: fileUrl.default(""),
    svgaUrl: fileUrl.default(""),
    operator,
  }).returns<CatalogueGift>(),
  /** Operators. Accepted gifts keep their price. Fails: giftUnknown. */
  update: action({
    giftId: id,
    giftName: giftName.optional(),
    price: price.optional(),
    coverImgUrl: fileUrl.optional(),
    svgaUrl: fileUrl.optional(),
    status: integer(0, 1).optional(),
    operator,
  }).returns<CatalogueGift>(),
  /** Operators. Fails: giftUnknown. */
  takeOffShelf: action({ giftId: id, operator }).returns<CatalogueGift>(),
  /**
   * Operators: the order of any user, settled or not. Fails: giftOrderUnknown, also where an order waits for its
   * settlement and Redis has lost it, or it waits longer than `limits.gift.acceptedMemoryMs`: it may still be settled.
   */
  findOrder: action({ orderId, operator }).returns<FoundGift>(),
  /**
   * The gifts settled since a time, by the books, as the event told of them, in pages; some were settled shortly before.
   * `until`: the record id at which the scan ends, the last one of now where it is left out; the answer has it, and it is
   * given again with each next page. For consumers of `gift.settled` that have missed events. The effect is the catalogue's of now.
   */
  settledSince: action({ since: isoTime, until: cursor, cursor }).returns<SettledPage>(),
  /** The gifts that wait in the queue, those being settled, and dead letters. For a long queue it is an estimate. */
  queueDepth: action({}).returns<{ waiting: number; inFlight: number; deadLetters: number }>(),
};

export const giftEvents = {
  /**
   * Whatever follows a gift is a consumer of this event. It is published after the charge and the record, and before
   * the gift leaves the queue. Delivery is at least once, and a repeat may be divided into other messages, so consumers
   * identify gifts by order id.
   */
  "gift.settled": z.object({ gifts: z.array(settledGift).min(1).max(limits.gift.settleBatch) }),
  /** Of the seals of the audit. */
  "gift.books-sealed": sealedEvent,
};
