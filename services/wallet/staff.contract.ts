import { action } from "../action-contract.ts";
import { cursor, limit, orderId, userId } from "../fields.ts";

/**
 * What staff look up of the ledgers. Coins are whole coins, points 100 to a coin; of both the points decide. Times are
 * ISO 8601 in UTC.
 */

/** A row of the ledger of income. */
export interface ShownPosting {
  id: string;
  /** gifts, hold, release, payout. */
  kind: string;
  /** Signed by its effect on the anchor's free income. */
  points: number;
  /** Whole coins of the points, rounded down. */
  coins: number;
  /** 0 rejected, 1 valid. */
  status: number;
  bizId: string;
  /** The refunded order of a hold or release. */
  orderId: string | null;
  reason: string | null;
  createTime: string;
}

/** A row of the ledger. */
export interface StoryTrade {
  bizId: string;
  userId: string;
  num: number;
  /** 0 gift, 1 recharge, 2 refund, 3 adjustment. */
  type: number;
  /** 0 rejected, 1 valid. */
  status: number;
  reason: string | null;
  /** Of a gift: the receiver and her share. */
  counterpartyId: string | null;
  incomePoints: number;
  balanceAfter: number;
  time: string;
}

/** A decision to hold back an anchor's share of what a refunded order paid. */
export interface StoryHold {
  /** The refunded order. */
  orderId: string;
  anchorId: string;
  /** The coins of this order that it is of, where the story is a gift's. */
  coins: number | null;
  points: number;
  reason: string | null;
  time: string;
  releasedTime: string | null;
  releaseReason: string | null;
}

/** A refunded order whose coins a gift was paid with, by the rule of holds/attribution.ts. */
export interface RefundedWith {
  orderId: string;
  /** The refunded coins in the gift, and the anchor's share of them. */
  coins: number;
  points: number;
  /** What was decided about the anchor's share. */
  state: "open" | "held" | "released";
  /** When the refund was written to the ledger. */
  time: string;
}

/** What the ledgers have of an order, of a gift or of a payment; empty where they have nothing. */
export interface WalletStory {
  /** Of a gift its charge, of a payment its credit and its refund. */
  trades: StoryTrade[];
  /** Of the order: what its refund could not take back (above zero), or what its credit paid off of earlier debts. */
  debts: { bizId: string; num: number; time: string }[];
  holds: StoryHold[];
  /** Of a gift that was charged. */
  refundedWith: RefundedWith[];
  /** There are more holds or refunds than the lists have. */
  cut: boolean;
}

export const walletStaffActions = {
  /** An anchor's postings, newest first. Fails: unavailable. */
  incomePostings: action({ userId, cursor, limit }).returns<{ list: ShownPosting[]; nextCursor: string | null }>(),
  /**
   * What the ledgers have of an order. Of the sender's refunds after a gift the first ones are attributed
   * (`limits.lookup.refundsAttributed`), each as `affectedGifts` does it. Fails: unavailable.
   */
  orderStory: action({ orderId }).returns<WalletStory>(),
};
