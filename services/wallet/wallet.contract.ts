import { userIdPattern } from "../user-id-pattern.ts";

/** What other services may use of the wallet. Amounts are whole coins, safe integers. */

/** A gift to settle: what the sender pays, and whom it is for. The price is the one it was accepted at. */
export interface GiftCharge {
  /** The gift's order id: the business id of the posting. */
  orderId: string;
  senderId: string;
  receiverId: string;
  roomId: number;
  giftId: number;
  count: number;
  /** Price of one, coins. */
  price: number;
}

/** The final word on a gift; a repeat of the same order id gets the first outcome again. */
export interface GiftOutcome {
  orderId: string;
  status: "succeeded" | "failed";
  /** Why it failed: a name of config/errors.ts (balanceShort, accountUnusable, idempotencyConflict). */
  reason?: string;
  /** The receiver's share, coins; 0 where it failed. */
  income: number;
  balanceAfter: number;
}

export interface Balance {
  userId: string;
  balance: number;
  /** What refunds could not take back, coins; paid off by the next recharges. */
  debt: number;
  totalCharged: number;
  /** 0 invalid, 1 valid, 2 frozen. */
  status: number;
}

export interface StatementRow {
  id: string;
  num: number;
  type: number;
  status: number;
  bizId: string;
  balanceAfter: number;
  createTime: string;
}

export interface WalletActions {
  /**
   * Settles gifts of senders of one bucket (`bucketOf` in services/wallet-buckets.ts). When it returns, each outcome
   * is committed, and the outcomes stand in the order of the gifts. An outcome of its own failure does not hold up
   * its neighbours. Fails as a whole, with nothing half done: unavailable.
   */
  consumeForSendGift: { params: { bucket: number; gifts: GiftCharge[] }; result: { outcomes: GiftOutcome[] } };
  /** The balance as committed. A user without an account has 0 of everything and status 1. */
  balance: { params: { userId: string }; result: Balance };
  /**
   * Whether a gift may be accepted: "short" and "unusable" are what the database says now, "enough" may be up to
   * `limits.wallet.fundsCacheMs` old. Nothing is reserved: the settlement decides.
   */
  checkFunds: {
    params: { bucket: number; userId: string; amount: number };
    result: { funds: "enough" | "short" | "unusable" };
  };
  /** Newest first; `cursor` is a trade id. */
  statement: {
    params: { userId: string; cursor?: string; limit: number };
    result: { list: StatementRow[]; nextCursor: string | null };
  };
  /** The coins that these orders were credited with; an order without a credit is not among them. */
  creditsOf: { params: { orderIds: string[] }; result: { list: { orderId: string; coins: number }[] } };
  /** The credits of a span of time (ISO times, the end not included), in portions, of which some may be empty. */
  creditsBetween: {
    params: { from: string; to: string; cursor?: string };
    result: { list: { orderId: string; coins: number }[]; nextCursor: string | null };
  };
  /** What the anchor has earned; every gift settled before `settledUpTo` (ISO time) is in it. */
  income: { params: { userId: string }; result: { income: number; settledUpTo: string } };
  /** Operators. Fails: invalidParam where the account's status does not allow it. */
  freeze: { params: { userId: string; reason: string; operator: string }; result: Balance };
  unfreeze: { params: { userId: string; reason: string; operator: string }; result: Balance };
}

export interface WalletEvents {
  "account.frozen": { userId: string; reason: string; time: string };
  "account.unfrozen": { userId: string; reason: string; time: string };
  /** A paid order's coins are in the account. */
  "wallet.credited": { userId: string; orderId: string; coins: number; balanceAfter: number; time: string };
}

const userId = { type: "string", pattern: userIdPattern } as const;
const orderId = { type: "string", min: 1, max: 64 } as const;
const positive = { type: "number", integer: true, min: 1, max: Number.MAX_SAFE_INTEGER } as const;
const time = { type: "string", pattern: /^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/ } as const;
const reason = { type: "string", min: 1, max: 200 } as const;

export const walletParams = {
  consumeForSendGift: {
    bucket: { type: "number", integer: true, min: 0 },
    gifts: {
      type: "array",
      min: 1,
      max: 2_000,
      items: {
        type: "object",
        props: {
          orderId,
          senderId: userId,
          receiverId: userId,
          roomId: positive,
          giftId: positive,
          count: positive,
          price: positive,
        },
      },
    },
  },
  balance: { userId },
  checkFunds: { bucket: { type: "number", integer: true, min: 0 }, userId, amount: positive },
  statement: {
    userId,
    cursor: { type: "string", pattern: /^\d{1,19}$/, optional: true },
    limit: { type: "number", integer: true, min: 1, max: 100 },
  },
  creditsOf: { orderIds: { type: "array", max: 500, items: orderId } },
  creditsBetween: { from: time, to: time, cursor: { type: "string", pattern: /^\d{1,19}$/, optional: true } },
  income: { userId },
  freeze: { userId, reason, operator: { type: "string", max: 100 } },
  unfreeze: { userId, reason, operator: { type: "string", max: 100 } },
} as const;
