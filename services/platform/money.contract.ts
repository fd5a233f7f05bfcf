import { z } from "zod";
import { action } from "../action-contract.ts";
import { coinAmount, cursor, externalReference, id, integer, limit, text, userId } from "../fields.ts";

/**
 * Money that the platform orders. `apiKey` is the key as the platform's backend presented it: this service checks it and
 * its scope again, so that a gateway that was taken over can use the keys alone that pass through it.
 *
 * An order is written before the wallet hears of it, and is carried out once, also where nobody asks again: an
 * `unavailable` of these actions whose data has `ordered: true` is of an order that stands. Without that it is not known;
 * the same call again gets the outcome.
 *
 * Fails: notLoggedIn (no such key), scopeMissing, idempotencyConflict (the id has other content), balanceShort,
 * invalidParam (the balance would exceed the safe integers), unavailable.
 */

const apiKey = z.string().min(1).max(100);

/** Why coins are given or taken. */
export const adjustReason = text(1, 200);
export const adjustedCoins = integer().refine((coins) => coins !== 0, "must not be 0");

export interface Moved {
  userId: string;
  /** What the account had right after the coins moved, before they paid off a debt. */
  balanceAfter: number;
}

/** The states of a proposal that moves nothing. */
export const proposalStates = ["proposed", "declined", "expired"] as const;
export type ProposalState = (typeof proposalStates)[number];

/** An adjustment that needed, or needs, another person. */
export interface Proposal {
  proposalId: string;
  userId: string;
  coins: number;
  reason: string;
  /** The API key that ordered it. */
  keyId: string;
  state: "proposed" | "pending" | "done" | "refused" | "declined" | "expired";
  createTime: string;
  /** When it expires unless somebody decides. */
  expiresTime: string;
  /** Who approved or declined it. */
  decidedBy: string | null;
}

export const moneyActions = {
  /** Credits coins that the platform sold itself, once for each `externalOrderId`; a repeat gets the first outcome. */
  credit: action({ apiKey, userId, coins: coinAmount, externalOrderId: externalReference }).returns<Moved>(),
  /**
   * Gives (above 0) or takes (below 0) coins, once for each `writeId`. Where the adjustments of the account in 24 hours
   * come to more than FOUR_EYES_COINS it is written as a proposal, which moves nothing; a repeat gets its present state.
   */
  adjust: action({
    ...{ apiKey, userId, coins: adjustedCoins, reason: adjustReason },
    writeId: externalReference,
  }).returns<Moved | { userId: string; proposalId: string; state: ProposalState }>(),
  /** Takes from an anchor's free income what the platform has paid to her, once for each `payoutId`. */
  payout: action({ apiKey, userId, points: id, payoutId: externalReference }).returns<{ userId: string }>(),
  /** Proposals, newest first; `open`: those alone on which nobody has decided and that have not expired. */
  proposals: action({ open: z.boolean().default(true), cursor, limit }).returns<{
    list: Proposal[];
    nextCursor: string | null;
  }>(),
};
