import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import {
  coinAmount,
  cursor,
  externalReference,
  id,
  integer,
  limit,
  moveId,
  operator,
  reason,
  text,
  userId,
} from "../fields.ts";

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

/** The states of an order (money/order-state.ts). */
export type OrderState = "proposed" | "pending" | "done" | "refused" | "declined" | "expired";

/** An adjustment by an API key that needed, or needs, a person of staff. */
export interface Proposal {
  proposalId: string;
  userId: string;
  coins: number;
  reason: string;
  /** The API key that ordered it, and the id of its write. */
  keyId: string;
  writeId: string;
  /** The operator who made the key. */
  keyCreatedBy: string | null;
  state: OrderState;
  /** Of refused: a name of config/errors.ts. */
  refusal: string | null;
  createTime: string;
  /** When it expires unless somebody decides. */
  expiresTime: string;
  /** Who approved or declined it, when and why. */
  decidedBy: string | null;
  decidedTime: string | null;
  decisionReason: string | null;
}

export const moneyActions = {
  /** Credits coins that the platform sold itself, once for each `externalOrderId`; a repeat gets the first outcome. */
  credit: action({ apiKey, userId, coins: coinAmount, externalOrderId: externalReference }).returns<Moved>(),
  /**
   * Gives (above 0) or takes (below 0) coins, once for each `writeId`. Where what API keys adjusted and staff moved on the
   * account in 24 hours comes to more than FOUR_EYES_COINS it is written as a proposal, which moves nothing until a person
   * of staff approves it; a repeat gets its present state.
   */
  adjust: action({
    ...{ apiKey, userId, coins: adjustedCoins, reason: adjustReason },
    // The ids of staff's adjustments begin so.
    writeId: externalReference.refine((id) => !id.startsWith("staff:")),
  }).returns<Moved | { userId: string; proposalId: string; state: ProposalState }>(),
  /** Takes from an anchor's free income what the platform has paid to her, once for each `payoutId`. */
  payout: action({ apiKey, userId, points: id, payoutId: externalReference }).returns<{ userId: string }>(),
  /**
   * Counts a move of the staff service on accounts (`coins`: magnitudes; points are rounded up) for 24 hours, and answers
   * whether another person must approve it: whether, on one of them, what API keys adjusted and staff moved in 24 hours
   * comes to more than FOUR_EYES_COINS with it. Of two at once one sees the other. Durable when it returns; a repeat with
   * the same `moveId` counts once. `key` says what the move is: of moves with one key the staff service writes one at a
   * time, so they do not count against each other.
   */
  countStaffMove: action({
    moveId: z.uuid(),
    key: z.string().min(1).max(170),
    moves: z
      .array(z.object({ userId, coins: integer(0) }))
      .min(1)
      .max(limits.wallet.heldAnchorsPerCall),
  }).returns<{ needsApproval: boolean }>(),
  /**
   * Such a move is approved: it counts for 24 hours from now on, and not from when it was asked for. Durable when it
   * returns; a repeat renews it again.
   */
  renewStaffMove: action({ moveId: z.uuid() }).returns<null>(),
  /** Takes such a move off the sums, since it moved nothing. A repeat changes nothing. */
  uncountStaffMove: action({ moveId: z.uuid() }).returns<null>(),
  /**
   * Carries out an adjustment of the staff service, once for each move, above the bound too: the staff service counted
   * it and has its approval. Fails as `adjust` does, but for the key.
   */
  adjustByStaff: action({
    ...{ moveId, userId, coins: adjustedCoins, reason: adjustReason, operator },
  }).returns<Moved>(),
  /**
   * Approves a proposal of an API key, which the wallet then carries out, or declines it. `operator`: who decides; `near`:
   * the operators who count as the same. A decision that came too late changes nothing and gets the state that there is.
   * Fails: proposalUnknown; ownProposal, where one of them made the key; unavailable, where it is not known whether it was
   * decided: repeat it.
   */
  decide: action({
    ...{ proposalId: z.string().regex(/^[1-9]\d{0,18}$/), approve: z.boolean(), reason: reason.optional(), operator },
    near: z
      .array(operator)
      .max(limits.staff.personsMax + 1)
      .default([]),
  }).returns<{ proposalId: string; state: OrderState; refusal: string | null }>(),
  /** Proposals, newest first; `open`: those alone on which nobody has decided and that have not expired. */
  proposals: action({ open: z.boolean().default(true), cursor, limit }).returns<{
    list: Proposal[];
    nextCursor: string | null;
  }>(),
};
