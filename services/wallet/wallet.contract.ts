import { limits } from "../../config/limits.ts";
import { userIdPattern } from "../user-id-pattern.ts";
import type { AffectedGifts, AffectedIncome, HoldOrder, Income, PaidOut, Payout } from "./income.contract.ts";

/**
 * What other services may use of the wallet. Amounts are whole coins, those named ...points or ...Points are points, 100 to
 * a coin; all of them safe integers. Where both stand side by side the points decide: the coins are them, rounded down.
 */

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
  /** The receiver's share, whole percent, as it was when the gift was accepted. */
  sharePercent: number;
}

/** The final word on a gift; a repeat of the same order id gets the first outcome again. */
export interface GiftOutcome {
  orderId: string;
  status: "succeeded" | "failed";
  /** Why it failed: a name of config/errors.ts (balanceShort, idempotencyConflict). */
  reason?: string;
  /** The receiver's share; 0 where it failed. */
  income: number;
  incomePoints: number;
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
  /** Of recharges and refunds: the payment order it is about; where a recharge pays a debt off, that recharge's. */
  orderId?: string;
  /**
   * Where it changed the debt: `change` above zero is what a refund could not take back, below zero what was paid off;
   * `after` the whole debt then; `orders` the refunded orders whose debt it is, the oldest first, at the most
   * `limits.wallet.debtOrdersShown` of them.
   */
  debt?: { change: number; after: number; orders: { orderId: string; coins: number }[] };
}

export interface WalletActions {
  /**
   * Settles gifts of senders of one bucket (`bucketOf` in services/wallet-buckets.ts). They are charged whatever the
   * accounts' status, which was checked at acceptance. When it returns, each outcome is committed, and the outcomes
   * stand in the order of the gifts. An outcome of its own failure does not hold up its neighbours. Fails as a whole,
   * with nothing half done: unavailable.
   */
  consumeForSendGift: { params: { bucket: number; gifts: GiftCharge[] }; result: { outcomes: GiftOutcome[] } };
  /** The balance as committed. A user without an account has 0 of everything and status 1. */
  balance: { params: { userId: string }; result: Balance };
  /**
   * Whether a gift may be accepted: "short" and "unusable" are what the database says now, "enough" may be up to
   * `limits.wallet.fundsCacheMs` old, of an account that was frozen since no older than the broadcast's way, and
   * `fundsCacheMs` where the broadcast was lost. Nothing is reserved: the settlement decides.
   */
  checkFunds: {
    params: { bucket: number; userId: string; amount: number };
    result: { funds: "enough" | "short" | "unusable" };
  };
  /** Those of these users whose account is frozen or invalid, as the database says now. Nobody without an account is. */
  unusableOf: { params: { userIds: string[] }; result: { userIds: string[] } };
  /** Newest first; `cursor` is a trade id. The sum of `num` where `status` is 1 is the balance. */
  statement: {
    params: { userId: string; cursor?: string; limit: number };
    result: { list: StatementRow[]; nextCursor: string | null };
  };
  /** The coins that these orders were credited with; an order without a credit is not among them. */
  creditsOf: { params: { orderIds: string[] }; result: { list: { orderId: string; coins: number }[] } };
  /**
   * Those of these orders whose refund is in the ledger: their coins are taken back, or a debt. Others have not been
   * refunded here, or not yet.
   */
  refundsOf: { params: { orderIds: string[] }; result: { list: { orderId: string }[] } };
  /** The credits of a span of time (ISO times, the end not included), in portions, of which some may be empty. */
  creditsBetween: {
    params: { from: string; to: string; cursor?: string };
    result: { list: { orderId: string; coins: number }[]; nextCursor: string | null };
  };
  /** Somebody who was never given anything has 0 of everything. */
  income: { params: { userId: string }; result: Income };
  /**
   * Operators: takes from an anchor's free income (earned − held back − paid out, as it is rolled up) what she has been
   * paid; committed when it returns. The same `payoutId` is the same payout for ever: a repeat gets the first outcome, a
   * refusal included. Fails: invalidParam where `points` is no whole number above 0 and safe; balanceShort;
   * idempotencyConflict where the payout id stands for another anchor or amount.
   */
  payout: { params: Payout & { operator: string }; result: PaidOut };
  /**
   * Operators: the gifts that a refunded order's missing coins were spent on, newest first, and the anchors' shares of
   * them; `cursor` is a trade id. Fails: refundUnknown.
   */
  affectedGifts: {
    params: { orderId: string; cursor?: string; limit: number; operator: string };
    result: AffectedGifts;
  };
  /**
   * Operators: holds back these shares, every anchor's or the one's that is named, once; or lets what is held back go
   * again, for good. Fails: refundUnknown; holdState, where there is nothing that it could be, or has been, done to.
   */
  holdIncome: { params: HoldOrder; result: AffectedIncome };
  releaseIncome: { params: HoldOrder; result: AffectedIncome };
  /**
   * Operators; doing it twice is the same as once. When it returns, the account neither sends nor is sent a gift, but
   * for the broadcast's way to other nodes; what was accepted before is still settled, and the living-room service closes
   * a frozen anchor's room soon after. Fails: accountUnusable, where the account is invalid.
   */
  freeze: { params: { userId: string; reason: string; operator: string }; result: Balance };
  unfreeze: { params: { userId: string; reason: string; operator: string }; result: Balance };
}

export interface WalletEvents {
  "account.frozen": { userId: string; reason: string; time: string };
  "account.unfrozen": { userId: string; reason: string; time: string };
  /** A paid order's coins are in the account. */
  "wallet.credited": { userId: string; orderId: string; coins: number; balanceAfter: number; time: string };
  /** An anchor's share of gifts that were paid with a refunded order's coins is held back, or let go again. */
  "income.held": { orderId: string; anchorId: string; coins: number; points: number; reason: string; time: string };
  "income.released": { orderId: string; anchorId: string; coins: number; points: number; reason: string; time: string };
}

const userId = { type: "string", pattern: userIdPattern } as const;
const orderId = { type: "string", min: 1, max: 64 } as const;
const positive = { type: "number", integer: true, min: 1, max: Number.MAX_SAFE_INTEGER } as const;
const time = { type: "string", pattern: /^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z$/ } as const;
const reason = { type: "string", min: 1, max: 200 } as const;
/** Visible characters alone: the unique key does not see a blank at the end. */
const payoutId = { type: "string", pattern: /^[\x21-\x7e]{1,64}$/ } as const;
const operator = { type: "string", max: 100 } as const;
const tradeCursor = { type: "string", pattern: /^\d{1,19}$/, optional: true } as const;
const pageLimit = { type: "number", integer: true, min: 1, max: 100 } as const;
const holdOrder = { orderId, anchorId: { ...userId, optional: true }, reason, operator } as const;

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
          sharePercent: { type: "number", integer: true, min: 0, max: 100 },
        },
      },
    },
  },
  balance: { userId },
  checkFunds: { bucket: { type: "number", integer: true, min: 0 }, userId, amount: positive },
  unusableOf: { userIds: { type: "array", min: 1, max: limits.wallet.accountsPerCall, items: userId } },
  statement: { userId, cursor: tradeCursor, limit: pageLimit },
  creditsOf: { orderIds: { type: "array", max: 500, items: orderId } },
  refundsOf: { orderIds: { type: "array", max: 500, items: orderId } },
  creditsBetween: { from: time, to: time, cursor: tradeCursor },
  income: { userId },
  // The handler names what is wrong with the points: invalidParam, as for any amount.
  payout: {
    userId,
    points: { type: "any", optional: true },
    payoutId,
    reason: { ...reason, optional: true },
    operator,
  },
  affectedGifts: { orderId, cursor: tradeCursor, limit: pageLimit, operator },
  holdIncome: holdOrder,
  releaseIncome: holdOrder,
  freeze: { userId, reason, operator },
  unfreeze: { userId, reason, operator },
} as const;
