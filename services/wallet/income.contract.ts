import { z } from "zod";
import { id, operator, orderId, reason, userId } from "../fields.ts";

/** Anchors' income as other services see it. Units as in wallet.contract.ts. */

/** What became of a refunded order's coins that could not be taken back. Coins throughout. */
export interface AffectedIncome {
  orderId: string;
  /** Whose order it was. */
  userId: string;
  /** What the refund took back, and what it could not, since it was spent. */
  taken: number;
  shortfall: number;
  /** What of the shortfall is still owed; later recharges have paid the rest. */
  owing: number;
  /** What of the shortfall no gift was found for that an earlier refund had not claimed. */
  uncovered: number;
  /** Where there is such: the earlier refunds' debts that had been paid off by then. Their gifts are what is meant. */
  paidOff: { orderId: string; coins: number }[];
  /** How many there are of `paidOff` and of `anchors`, which name as many as an answer carries: about a thousand. */
  paidOffCount: number;
  anchorCount: number;
  /** Of the refund, in the ledger. */
  time: string;
  anchors: AffectedAnchor[];
}

export interface AffectedAnchor {
  anchorId: string;
  gifts: number;
  /** Of the shortfall, in gifts to this anchor. */
  coins: number;
  /** The anchor's share of these coins. */
  share: number;
  sharePoints: number;
  state: "open" | "held" | "released";
}

export interface AffectedGifts extends AffectedIncome {
  /** Newest first. */
  gifts: {
    orderId: string;
    anchorId: string;
    /** Of the whole gift. */
    price: number;
    /** What of it was paid with the refunded coins, and the anchor's share of that. */
    coins: number;
    share: number;
    sharePoints: number;
    time: string;
  }[];
  nextCursor: string | null;
}

/**
 * An anchor's income as it is rolled up. income = earned − heldBack − paidOut, in points exactly; below 0 where what is
 * held back had been paid out before, or is not rolled up yet: later income makes up for it.
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
  /** ISO time: every gift settled before it is in `earned`. */
  settledUpTo: string;
}

export const payout = z.object({
  userId,
  /** Above 0, whole and safe. */
  points: id,
  /** The business id, of whoever orders payouts. Visible characters alone: the unique key does not see a blank at the end. */
  payoutId: z.string().regex(/^[\x21-\x7e]{1,64}$/),
  reason: reason.optional(),
});
export type Payout = z.infer<typeof payout>;

export interface PaidOut {
  userId: string;
  points: number;
  payoutId: string;
  /** When it was taken from her income. */
  time: string;
}

export const holdOrder = z.object({ orderId, anchorId: userId.optional(), reason, operator });
export type HoldOrder = z.infer<typeof holdOrder>;
