import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { externalReference, id, moveId, operator, orderId, reason, userId } from "../fields.ts";

/** Anchors' income as other services see it. Units as in wallet.contract.ts. */

/** The gifts that a refunded order's coins were spent on, by anchor. Amounts are coins. */
export interface AffectedIncome {
  orderId: string;
  /** The payer. */
  userId: string;
  /** What the refund took back, and what it could not take back since it was spent. */
  taken: number;
  shortfall: number;
  /** The part of the shortfall that is still owed; later recharges have paid the rest. */
  owing: number;
  /** The part of the shortfall for which no gift was found that earlier refunds had not claimed. */
  uncovered: number;
  /** Where `uncovered` is above 0: debts of earlier refunds that were paid off by then. It was spent on their gifts. */
  paidOff: { orderId: string; coins: number }[];
  /** The full lengths of `paidOff` and `anchors`, which are cut to the size of an answer, about a thousand each. */
  paidOffCount: number;
  anchorCount: number;
  /** When the refund was written to the ledger. */
  time: string;
  /** How many anchors' shares above 0 are in each state: all of them, also those that `anchors` has no room for. */
  shares: Record<ShareState, number>;
  anchors: AffectedAnchor[];
}

export interface AffectedAnchor {
  anchorId: string;
  gifts: number;
  /** The part of the shortfall that was spent on gifts to this anchor. */
  coins: number;
  /** The anchor's share of these coins. */
  share: number;
  sharePoints: number;
  state: ShareState;
}

export const shareState = z.enum(["open", "held", "released"]);
export type ShareState = z.infer<typeof shareState>;

export interface AffectedGifts extends AffectedIncome {
  /** Newest first. */
  gifts: {
    orderId: string;
    anchorId: string;
    /** Of the whole gift, coins. */
    price: number;
    /** The refunded coins in it, and the anchor's share of them. */
    coins: number;
    share: number;
    sharePoints: number;
    time: string;
  }[];
  nextCursor: string | null;
}

/**
 * An anchor's rolled-up income: income = earned − heldBack − paidOut, exact in points. It is below 0 where held-back
 * income was paid out before or is not rolled up yet; later income makes up for it.
 */
export interface Income {
  income: number;
  incomePoints: number;
  earned: number;
  earnedPoints: number;
  heldBack: number;
  heldBackPoints: number;
  paidOut: number;
  paidOutPoints: number;
  /** ISO time: `earned` has every gift that was settled before it. */
  settledUpTo: string;
}

export const payout = z.object({
  userId,
  /** Above 0, whole and safe. */
  points: id,
  /** The business id, given by the caller. */
  payoutId: externalReference,
  reason: reason.optional(),
});
export type Payout = z.infer<typeof payout>;

export interface PaidOut {
  userId: string;
  points: number;
  payoutId: string;
  /** When it was taken from the anchor's income. */
  time: string;
}

/** `anchorIds`: these anchors alone. */
export const holdOrder = z.object({
  orderId,
  anchorId: userId.optional(),
  anchorIds: z.array(userId).min(1).max(limits.wallet.heldAnchorsPerCall).optional(),
  moveId: moveId.optional(),
  reason,
  operator,
});
export type HoldOrder = z.infer<typeof holdOrder>;

/** A part of an anchor's free income that staff held back. */
export interface FreeHold {
  holdId: string;
  /** The anchor. */
  userId: string;
  points: number;
  state: "held" | "released";
  /** When it was held. */
  time: string;
  releasedTime: string | null;
}
