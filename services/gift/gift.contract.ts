import { z } from "zod";
import type { FailureName } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import {
  businessId,
  cursor,
  id,
  integer,
  isoTime,
  limit,
  operator,
  orderId,
  text,
  traceparent,
  userId,
} from "../fields.ts";
import type { RecordedGift } from "./gift-events.contract.ts";
import { giftStaffActions } from "./staff.contract.ts";
import { giftWorkActions } from "./work.contract.ts";

/** The actions of the gift service for other services; its events are in gift-events.contract.ts. */

export { giftEvents, type RecordedGift, type SettledGift, settledGiftBytes } from "./gift-events.contract.ts";

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
  /**
   * When it was accepted: JetStream's time of its message in the queue. Until the gift is settled, the time by the clock
   * of the node that accepted it.
   */
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
  /** The gateway knows that the sender is banned, everywhere or in the room: it is refused unless it is a repeat. */
  isBanned: z.boolean().optional(),
  /** Of a gift that is traced. */
  traceparent: traceparent.optional(),
};

/** A side of a contest: the gifts to one receiver in one room. */
const side = z.object({ roomId: id, receiverId: userId });

/** What a side got. */
export interface SideTotals {
  /** Coins. */
  score: number;
  /** Gift orders. */
  gifts: number;
  /** The three senders with the most coins, the most first; of equal ones the smaller user id. */
  topSenders: { userId: string; coins: number }[];
}

/** A page of `gift.settledSince`. */
export interface SettledPage {
  gifts: RecordedGift[];
  nextCursor: string | null;
  until: string;
}

export const giftActions = {
  ...giftStaffActions,
  /**
   * A page of the gifts on sale after the gift id `after`, by id, as many as one message carries. `nextAfter` is the
   * `after` of the next page, `null` on the last one.
   */
  catalogue: action({ after: id.optional() }).returns<{ list: CatalogueGift[]; nextAfter: number | null }>(),
  /** As `catalogue`, of every gift, on sale or not; from 0 on. Fails: unavailable. */
  allGifts: action({ after: integer(0, Number.MAX_SAFE_INTEGER), operator }).returns<{
    list: CatalogueGift[];
    nextAfter: number | null;
  }>(),
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
  /** An order of any user, for the server API; as `findOrder`, without an audit row. Fails: giftOrderUnknown. */
  orderForPlatform: action({ orderId }).returns<FoundGift>(),
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
   * Operators: an anchor's own share of the gifts that are accepted from a time on; `percent` null is the default again.
   * Without `from` it is in force at once; the answer has the time. In force on every node within a second. Fails:
   * invalidParam with the field `from` where that is over: accepted gifts keep their share.
   */
  setShare: action({
    anchorId: userId,
    percent: integer(0, 100).nullable(),
    from: isoTime.optional(),
    operator,
  }).returns<{ from: string }>(),
  /**
   * The gifts settled since a time, by the books, as the event told of them, in pages; some were settled shortly before.
   * `until`: the record id at which the scan ends, the last one of now where it is left out; the answer has it, and it is
   * given again with each next page. For consumers of `gift.settled` that have missed events. The effect is that of the
   * current catalogue.
   */
  settledSince: action({ since: isoTime, until: cursor, cursor }).returns<SettledPage>(),
  /**
   * Whether every gift that JetStream stored in the queue before `time` has its record and its event, or is a dead
   * letter. `time` is the time of a message that JetStream has stored already, in whatever stream. Once it is settled it
   * stays so. `oldest` is the time of the oldest message that is left, `null` where none is or where all are settled. Ask
   * again until it is settled, a few times a second at the most. Fails: unavailable; then ask again, too.
   */
  settledBefore: action({ time: isoTime }).returns<{ settled: boolean; oldest: string | null }>(),
  /**
   * What each side got, by the gift records: of gifts that succeeded, of any send type, with times from `from` until
   * before `until`, without the orders of `without`. Exact, and the same whenever it is asked, for gifts that are settled.
   * `leftOut` are the orders of `without` that have such a record. Without `topSenders` those lists are empty, and the
   * answer costs less. Fails: unavailable; with a plain error where a sum is no safe integer.
   */
  totals: action({
    sides: z.array(side).min(1).max(2),
    from: isoTime,
    until: isoTime,
    without: z.array(businessId).max(limits.gift.totalsWithout).default([]),
    topSenders: z.boolean().default(true),
  }).returns<{ sides: SideTotals[]; leftOut: string[] }>(),
  ...giftWorkActions,
};
