import { userIdPattern } from "../user-id-pattern.ts";

/** What other services may use of the gift service. */
export interface CatalogueGift {
  giftId: number;
  price: number;
  giftName: string;
  /** 0 off the shelf, 1 on. */
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

export interface GiftActions {
  /**
   * A page of the gifts on sale, by id, as many as one message carries: those after the gift id `after`. `nextAfter` is
   * the `after` of the next page, `null` on the last one.
   */
  catalogue: { params: { after?: number }; result: { list: CatalogueGift[]; nextAfter: number | null } };
  /**
   * Accepts a gift: durable in JetStream when it returns, settled later. The same `requestId` of the same sender is
   * the same order for ever (`orderIdOf` in services/gift-order-id.ts); without one the order is `orderId`, a random
   * UUID that the caller makes, to know the order even when no answer comes, or else one that is made here. Fails:
   * giftUnknown, giftToSelf, roomNotLive, balanceShort, accountUnusable (the sender's or the receiver's),
   * idempotencyConflict; unavailable where it could not be made durable, or, where `mayHaveHappened`
   * (broker/failure.ts) says so, where that is not known: then it may be settled all the same. A repeat is safe with a
   * `requestId` alone.
   */
  send: {
    params: {
      userId: string;
      giftId: number;
      roomId: number;
      receiverId: string;
      type: number;
      count: number;
      requestId?: string;
      orderId?: string;
    };
    result: { orderId: string };
  };
  /**
   * An order of the user's own. Fails: giftOrderUnknown; this also where `send` failed without knowing whether the gift
   * is accepted, until it is settled or its repeat is answered.
   */
  order: { params: { userId: string; orderId: string }; result: GiftOrder };
  /** Newest first; `cursor` is a record id. */
  records: {
    params: { userId: string; direction: "sent" | "received"; roomId?: number; cursor?: string; limit: number };
    result: { list: GiftRecord[]; nextCursor: string | null };
  };
  /** Operators. Fails: giftIdTaken. In force on every node within a second. */
  create: {
    params: { giftId: number; giftName: string; price: number; coverImgUrl: string; svgaUrl: string; operator: string };
    result: CatalogueGift;
  };
  /** Operators. What was accepted before keeps its price. Fails: giftUnknown. */
  update: { params: GiftEdit & { giftId: number; operator: string }; result: CatalogueGift };
  /** Operators. Fails: giftUnknown. */
  takeOffShelf: { params: { giftId: number; operator: string }; result: CatalogueGift };
  /**
   * Operators: any user's order, settled or on its way. Fails: giftOrderUnknown; this also where an order waits for its
   * settlement and Redis has lost it, or for longer than `limits.gift.acceptedMemoryMs`: it may settle all the same.
   */
  findOrder: { params: { orderId: string; operator: string }; result: FoundGift };
  /** What waits in the queue and what is being worked on, messages. */
  queueDepth: { params: Record<string, never>; result: { waiting: number; inFlight: number; deadLetters: number } };
}

/** A settled gift as other services see it. */
export interface SettledGift {
  orderId: string;
  status: "succeeded" | "failed";
  reason?: string;
  senderId: string;
  receiverId: string;
  roomId: number;
  giftId: number;
  count: number;
  price: number;
  /** The receiver's share: points (100 to a coin) decide, the whole coins are them rounded down. */
  income: number;
  incomePoints: number;
  time: string;
}

export interface GiftEvents {
  /** One message a settled batch; at least once, so consumers go by the order ids. */
  "gift.settled": { gifts: SettledGift[] };
}

const userId = { type: "string", pattern: userIdPattern } as const;
const positive = { type: "number", integer: true, min: 1, max: Number.MAX_SAFE_INTEGER } as const;
const operator = { type: "string", min: 1, max: 100 } as const;
const orderId = { type: "string", min: 1, max: 64 } as const;
const giftName = { type: "string", min: 1, max: 60 } as const;
const price = { type: "number", integer: true, min: 1, max: 1_000_000_000 } as const;
const fileUrl = { type: "string", max: 300 } as const;

export const giftParams = {
  catalogue: { after: { ...positive, optional: true } },
  send: {
    userId,
    giftId: positive,
    roomId: positive,
    receiverId: userId,
    type: { type: "number", integer: true, min: 0, max: 1 },
    count: { type: "number", integer: true, min: 1, max: 9_999 },
    requestId: { type: "string", pattern: /^[A-Za-z0-9_-]{8,64}$/, optional: true },
    // Random (version 4): it cannot be the order of anybody's request id (version 5).
    orderId: {
      type: "string",
      pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      optional: true,
    },
  },
  order: { userId, orderId },
  records: {
    userId,
    direction: { type: "enum", values: ["sent", "received"] },
    roomId: { ...positive, optional: true },
    cursor: { type: "string", pattern: /^\d{1,19}$/, optional: true },
    limit: { type: "number", integer: true, min: 1, max: 100 },
  },
  create: { giftId: positive, giftName, price, coverImgUrl: fileUrl, svgaUrl: fileUrl, operator },
  update: {
    giftId: positive,
    giftName: { ...giftName, optional: true },
    price: { ...price, optional: true },
    coverImgUrl: { ...fileUrl, optional: true },
    svgaUrl: { ...fileUrl, optional: true },
    status: { type: "number", integer: true, min: 0, max: 1, optional: true },
    operator,
  },
  takeOffShelf: { giftId: positive, operator },
  findOrder: { orderId, operator },
  queueDepth: {},
} as const;
