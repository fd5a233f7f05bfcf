import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { amount, cursor, id, integer, isoTime, limit, operator, orderId, text, userId } from "../fields.ts";

/** What other services may use of the gift service. */
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
  /** Price of one at the time of acceptance, coins. */
  price: number;
  receiverId: string;
  roomId: number;
  time: string;
}

/** An order as operators see it: while it is on its way it has no record yet, hence no `id`. */
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

const giftName = text(1, limits.gift.nameChars);
const price = integer(1, limits.gift.priceMaxCoins);
const fileUrl = text(0, limits.gift.urlChars);
const { idempotencyKeyMinChars: keyMin, idempotencyKeyMaxChars: keyMax } = limits.http;
const requestId = z
  .string()
  .regex(new RegExp(`^[A-Za-z0-9_-]{${keyMin},${keyMax}}$`))
  .meta({ description: "The client's own, one a gift: the same again is the same order and one charge, for ever." });
/** Version 4, so it cannot be the order of anybody's request id (version 5). */
const randomOrderId = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

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
  /** Of one, coins, as it was when the gift was accepted. */
  price: id,
  /** The receiver's share: points (100 to a coin) decide, the whole coins are them rounded down. */
  income: amount,
  incomePoints: amount,
  /** 0 normal, 1 PK. */
  type: integer(0, 1),
  /** The effect's file. */
  url: z.string().max(limits.gift.urlChars),
  /** When it was accepted. */
  time: isoTime,
});
/** A settled gift as other services see it. */
export type SettledGift = z.infer<typeof settledGift>;

/** A page of `gift.settledSince`. */
export interface SettledPage {
  gifts: SettledGift[];
  nextCursor: string | null;
  until: string;
}

export const giftActions = {
  /**
   * A page of the gifts on sale, by id, as many as one message carries: those after the gift id `after`. `nextAfter` is
   * the `after` of the next page, `null` on the last one.
   */
  catalogue: action({ after: id.optional() }).returns<{ list: CatalogueGift[]; nextAfter: number | null }>(),
  /**
   * Accepts a gift: durable in JetStream when it returns, settled later. The same `requestId` of the same sender is
   * the same order for ever (`orderIdOf` in services/gift-order-id.ts); without one the order is `orderId`, a random
   * UUID that the caller makes, to know the order even when no answer comes, or else one that is made here. Fails:
   * giftUnknown, giftToSelf, roomNotLive, balanceShort, accountUnusable (the sender's or the receiver's),
   * idempotencyConflict; unavailable where it could not be made durable, or, where `mayHaveHappened`
   * (broker/failure.ts) says so, where that is not known: then it may be settled all the same. A repeat is safe with a
   * `requestId` alone.
   */
  send: action({
    userId,
    giftId: id,
    roomId: id,
    receiverId: userId,
    type: integer(0, 1).default(0),
    count: integer(1, limits.gift.countMax).default(1),
    requestId: requestId.optional(),
    orderId: randomOrderId.optional(),
  }).returns<{ orderId: string }>(),
  /**
   * An order of the user's own. Fails: giftOrderUnknown; this also where `send` failed without knowing whether the gift
   * is accepted, until it is settled or its repeat is answered.
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
  /** Operators. What was accepted before keeps its price. Fails: giftUnknown. */
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
   * Operators: any user's order, settled or on its way. Fails: giftOrderUnknown; this also where an order waits for its
   * settlement and Redis has lost it, or for longer than `limits.gift.acceptedMemoryMs`: it may settle all the same.
   */
  findOrder: action({ orderId, operator }).returns<FoundGift>(),
  /**
   * The gifts settled since a time, by the books, as the event told of them, in pages; some were settled shortly before.
   * `until`: the record id at which the scan ends, the last one of now where it is left out; the answer has it, and it is
   * given again with each next page. For consumers of `gift.settled` that have missed events. The effect is the catalogue's of now.
   */
  settledSince: action({ since: isoTime, until: cursor, cursor }).returns<SettledPage>(),
  /** What waits in the queue and what is being worked on, messages. */
  queueDepth: action({}).returns<{ waiting: number; inFlight: number; deadLetters: number }>(),
};

export const giftEvents = {
  /**
   * The joint: whatever follows a gift is a consumer of this event. Published after the charge and the record, before
   * the gift leaves the queue. At least once; a repeat may be cut into other messages, so consumers go by order ids.
   */
  "gift.settled": z.object({ gifts: z.array(settledGift).min(1).max(limits.gift.settleBatch) }),
};
