import { z } from "zod";
import { action } from "../action-contract.ts";
import { giveUp } from "../erasure.contract.ts";
import { externalReference, id, limit, orderId, reason, userId } from "../fields.ts";
import { adjustedCoins } from "../platform/money.contract.ts";
import { session } from "./session.contract.ts";

/**
 * Moves of money by persons of the staff, the erasure of users, and four eyes. Each action takes the `session` of the person as it was presented
 * and checks it and the right itself. Fails beside what each names: notLoggedIn, roleMissing, unavailable.
 */

/** What a person asks for; the right of each kind is in proposals/instruction.ts. Points are hundredths of a coin. */
export const moneyMove = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("refund"), orderId, reason }),
  z.object({ kind: z.literal("release"), orderId, reason }),
  z.object({ kind: z.literal("adjust"), userId, coins: adjustedCoins, adjustId: externalReference, reason }),
  z.object({ kind: z.literal("payout"), userId, points: id, payoutId: externalReference, reason }),
  z.object({ kind: z.literal("hold"), orderId, anchorId: userId.optional(), reason }),
  z.object({ kind: z.literal("releaseHold"), orderId, anchorId: userId.optional(), reason }),
  z.object({ kind: z.literal("holdFree"), userId, points: id, holdId: externalReference, reason }),
  z.object({ kind: z.literal("releaseFree"), holdId: externalReference, reason }),
  /** It moves nothing, and always waits for another person. */
  z.object({ kind: z.literal("erase"), userId, giveUp, reason }),
]);
export type MoneyMove = Readonly<z.infer<typeof moneyMove>>;

/**
 * `done`: it was carried out; `result` is what the service that did it answered. `proposed`: it is above the bound and
 * waits for another person. `approved`: it is written, the service that does it is away, and it will be carried out without
 * anybody asking again. `declined`, `expired`: what became of the proposal of a given id.
 */
export type MoneyMoved =
  | { state: "done"; result: Record<string, unknown> }
  | { state: "proposed" | "approved" | "declined" | "expired"; proposalId: string; expiresTime: string | null };

/** `s` and a number of this service, `p` and a number of the platform service: an adjustment by an API key. */
export const anyProposalId = z.string().regex(/^[sp][1-9]\d{0,18}$/);

export interface ProposalView {
  proposalId: string;
  kind: MoneyMove["kind"] | "platformAdjust";
  /** Whose money moves. */
  userId: string;
  /** The order id, or the id that was given to it; of an erasure the user. */
  subject: string;
  /** Below 0 where an adjustment takes. Points are rounded up. */
  coins: number;
  /** Of a payout or a hold of free income. */
  points: number | null;
  /** Of the shares of a refunded order: whose. */
  anchorIds: string[] | null;
  /** Of an erasure: whether the coins and the income that are left are given up. */
  giveUp: boolean | null;
  reason: string;
  /** The person, or `key:<id>` of an API key. */
  proposedBy: string;
  createTime: string;
  /** When it expires unless somebody decides; `null` where nobody has to. */
  expiresTime: string | null;
  state: "open" | "approved" | "done" | "refused" | "declined" | "expired";
  /** Of refused: a name of config/errors.ts. */
  refusal: string | null;
  decidedBy: string | null;
  decidedTime: string | null;
  decisionReason: string | null;
  /** Whether the person who asks may decide on it. */
  mayDecide: boolean;
}

export const proposalActions = {
  /**
   * Carries out a move, or writes it as a proposal where, with it, more than FOUR_EYES_COINS was moved by hand on one
   * account in 24 hours. It is written before anything moves; from then on it is carried out once, also where nobody asks
   * again. After an `unavailable` it is not known whether it is written: repeat it. A given id (adjustId, payoutId, holdId)
   * keeps its outcome for ever; a move about an order or hold whose proposal is open gets that one, and a refund or release
   * that the same person had carried out minutes ago its outcome. Fails: userUnknown,
   * payOrderUnknown, payOrderState, refundUnknown, holdState, balanceShort, idempotencyConflict, invalidParam, erasureBlocked.
   */
  moveMoney: action({ session, move: moneyMove }).returns<MoneyMoved>(),
  /**
   * Moves of staff that are proposals and proposals of API keys, newest first. `open`: those alone on which nobody has
   * decided. `subject`: the moves of staff about an order, also those that nobody had to approve.
   */
  proposals: action({
    session,
    open: z.boolean().default(false),
    subject: externalReference.optional(),
    cursor: z
      .string()
      .regex(/^(\d{0,19}-\d{0,19})?$/)
      .optional(),
    limit,
  }).returns<{ list: ProposalView[]; nextCursor: string | null }>(),
  /**
   * Approves a proposal, which is then carried out, or declines it; right `decide`. Of many decisions at once one counts; the
   * others, and every repeat, get the present state. An approved one whose service is away stays `approved` and is carried
   * out later. Fails: proposalUnknown; ownProposal, also of who has another role or session by now, of a proposal of the
   * person who gave the caller the last setup code or got it from them, and of API keys that any of these made;
   * decidesLater, of who was set up or got the right on the page within `limits.staff.decidesAfterMs`.
   */
  decide: action({
    ...{ session, proposalId: anyProposalId, approve: z.boolean(), reason: reason.optional() },
  }).returns<{ proposalId: string; state: ProposalView["state"]; refusal: string | null }>(),
};
