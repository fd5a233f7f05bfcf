import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { amount, bucket, cursor, id, integer, isoTime, limit, operator, orderId, reason, userId } from "../fields.ts";
import {
  type AffectedGifts,
  type AffectedIncome,
  holdOrder,
  type Income,
  type PaidOut,
  payout,
} from "./income.contract.ts";

/**
 * What other services may use of the wallet. Amounts are whole coins, those named ...points or ...Points are points, 100 to
 * a coin; all of them safe integers. Where both stand side by side the points decide: the coins are them, rounded down.
 */

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

const giftCharge = z.object({
  /** The gift's order id: the business id of the posting. */
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  roomId: id,
  giftId: id,
  count: id,
  /** Price of one, coins. */
  price: id,
  /** The receiver's share, whole percent, as it was when the gift was accepted. */
  sharePercent: integer(0, 100),
});
/** A gift to settle: what the sender pays, and whom it is for. The price is the one it was accepted at. */
export type GiftCharge = z.infer<typeof giftCharge>;

export const walletActions = {
  /**
   * Settles gifts of senders of one bucket (`bucketOf` in services/wallet-buckets.ts). They are charged whatever the
   * accounts' status, which was checked at acceptance. When it returns, each outcome is committed, and the outcomes
   * stand in the order of the gifts. An outcome of its own failure does not hold up its neighbours. Fails as a whole,
   * with nothing half done: unavailable.
   */
  consumeForSendGift: action({ bucket, gifts: z.array(giftCharge).min(1).max(2_000) }).returns<{
    outcomes: GiftOutcome[];
  }>(),
  /** The balance as committed. A user without an account has 0 of everything and status 1. */
  balance: action({ userId }).returns<Balance>(),
  /**
   * Whether a gift may be accepted: "short" and "unusable" are what the database says now, "enough" may be up to
   * `limits.wallet.fundsCacheMs` old, of an account that was frozen since no older than the broadcast's way, and
   * `fundsCacheMs` where the broadcast was lost. Nothing is reserved: the settlement decides.
   */
  checkFunds: action({ bucket, userId, amount: id }).returns<{ funds: "enough" | "short" | "unusable" }>(),
  /** Those of these users whose account is frozen or invalid, as the database says now. Nobody without an account is. */
  unusableOf: action({ userIds: z.array(userId).min(1).max(limits.wallet.accountsPerCall) }).returns<{
    userIds: string[];
  }>(),
  /** Newest first; `cursor` is a trade id. The sum of `num` where `status` is 1 is the balance. */
  statement: action({ userId, cursor, limit }).returns<{ list: StatementRow[]; nextCursor: string | null }>(),
  /** The coins that these orders were credited with; an order without a credit is not among them. */
  creditsOf: action({ orderIds: z.array(orderId).max(500) }).returns<{ list: { orderId: string; coins: number }[] }>(),
  /**
   * Those of these orders whose refund is in the ledger: their coins are taken back, or a debt. Others have not been
   * refunded here, or not yet.
   */
  refundsOf: action({ orderIds: z.array(orderId).max(500) }).returns<{ list: { orderId: string }[] }>(),
  /** The credits of a span of time (ISO times, the end not included), in portions, of which some may be empty. */
  creditsBetween: action({ from: isoTime, to: isoTime, cursor }).returns<{
    list: { orderId: string; userId: string; coins: number; balanceAfter: number; time: string }[];
    nextCursor: string | null;
  }>(),
  /** Somebody who was never given anything has 0 of everything. */
  income: action({ userId }).returns<Income>(),
  /**
   * Operators: takes from an anchor's free income (earned − held back − paid out, as it is rolled up) what she has been
   * paid; committed when it returns. The same `payoutId` is the same payout for ever: a repeat gets the first outcome, a
   * refusal included. Fails: invalidParam where `points` is no whole number above 0 and safe; balanceShort;
   * idempotencyConflict where the payout id stands for another anchor or amount.
   */
  payout: action({ ...payout.shape, operator }).returns<PaidOut>(),
  /**
   * Operators: the gifts that a refunded order's missing coins were spent on, newest first, and the anchors' shares of
   * them; `cursor` is a trade id. Fails: refundUnknown.
   */
  affectedGifts: action({ orderId, cursor, limit, operator }).returns<AffectedGifts>(),
  /**
   * Operators: holds back these shares, every anchor's or the one's that is named, once; or lets what is held back go
   * again, for good. Fails: refundUnknown; holdState, where there is nothing that it could be, or has been, done to.
   */
  holdIncome: action(holdOrder.shape).returns<AffectedIncome>(),
  releaseIncome: action(holdOrder.shape).returns<AffectedIncome>(),
  /**
   * Operators; doing it twice is the same as once. When it returns, the account neither sends nor is sent a gift, but
   * for the broadcast's way to other nodes; what was accepted before is still settled, and the living-room service closes
   * a frozen anchor's room soon after. Fails: accountUnusable, where the account is invalid.
   */
  freeze: action({ userId, reason, operator }).returns<Balance>(),
  unfreeze: action({ userId, reason, operator }).returns<Balance>(),
};

const accountStatus = z.object({ userId, reason: z.string(), time: isoTime });
const shareStatus = z.object({
  orderId,
  anchorId: userId,
  coins: amount,
  points: amount,
  reason: z.string(),
  time: isoTime,
});

export const walletEvents = {
  "account.frozen": accountStatus,
  "account.unfrozen": accountStatus,
  /** A paid order's coins are in the account. */
  "wallet.credited": z.object({ userId, orderId, coins: id, balanceAfter: amount, time: isoTime }),
  /** An anchor's share of gifts that were paid with a refunded order's coins is held back, or let go again. */
  "income.held": shareStatus,
  "income.released": shareStatus,
};
