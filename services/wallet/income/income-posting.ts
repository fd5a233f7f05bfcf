import type { Payout } from "../income.contract.ts";
import { isPoints } from "../points.ts";

/**
 * The ledger of anchors' income. Amounts are points (100 to a coin), signed by what a posting does to the anchor's free
 * income: her valid postings add up to it.
 */

/**
 * gifts: earned in one round of the roll-up; hold, release: a share of a refunded order or a part of the free income held
 * back, and that undone; payout: paid out.
 */
export type PostingKind = "gifts" | "hold" | "release" | "payout";

/** A row of t_income_posting. */
export interface IncomePosting {
  kind: PostingKind;
  anchorId: string;
  /** Above zero for gifts and release, below zero for hold and payout. */
  points: number;
  /**
   * False where a payout or a hold of free income is rejected: nothing moves, and the row keeps the answer for a repeat.
   */
  valid: boolean;
  bizId: string;
  /** The refunded order of a hold or release; `null` where a part of the free income is held. */
  orderId: string | null;
  reason: string | null;
}

/** An anchor's row of t_anchor_income, or several servers' rows together: her rolled-up sums, each zero or more. */
export interface IncomeTotals {
  earnedPoints: number;
  heldBackPoints: number;
  paidOutPoints: number;
}

export const noIncome: IncomeTotals = Object.freeze({ earnedPoints: 0, heldBackPoints: 0, paidOutPoints: 0 });

/** Below zero where held-back income had been paid out before; later income makes up for it. */
export function freePoints({ earnedPoints, heldBackPoints, paidOutPoints }: IncomeTotals): number {
  return earnedPoints - heldBackPoints - paidOutPoints;
}

/** The sums of an anchor's rows on several servers. @throws RangeError where one is no safe integer */
export function addTotals(rows: readonly IncomeTotals[]): IncomeTotals {
  const sumOf = (field: keyof IncomeTotals) => {
    const sum = rows.reduce((all, row) => all + row[field], 0);
    if (!Number.isSafeInteger(sum)) throw new RangeError(`${field} of several servers is no safe integer`);
    return sum;
  };
  return {
    earnedPoints: sumOf("earnedPoints"),
    heldBackPoints: sumOf("heldBackPoints"),
    paidOutPoints: sumOf("paidOutPoints"),
  };
}

/** `posting` is the row to write; there is none where the payout is a repeat or invalid. */
export interface PayoutDecision {
  answer: "paid" | "balanceShort" | "idempotencyConflict" | "invalidParam" | "accountUnusable";
  posting?: IncomePosting;
}

/** A part of an anchor's free income that is held back under a business id. */
export interface FreeHoldOrder {
  readonly userId: string;
  readonly points: number;
  readonly bizId: string;
  readonly reason: string;
}

/** `posting` is the row to write; there is none where the hold is a repeat or invalid. */
export interface FreeHoldDecision {
  answer: "held" | "balanceShort" | "idempotencyConflict" | "invalidParam";
  posting?: IncomePosting;
}

/**
 * Decides a hold of any part of the free income on the anchor's locked totals: never more than is free. A business id that
 * is in the ledger gets its first outcome, also a refusal, or `idempotencyConflict` where anchor or points differ.
 */
export function decideFreeHold(
  { userId, points, bizId, reason }: FreeHoldOrder,
  totals: IncomeTotals,
  prior: Pick<IncomePosting, "anchorId" | "points" | "valid"> | undefined,
): FreeHoldDecision {
  if (!isPoints(points)) return { answer: "invalidParam" };
  if (prior) {
    const same = prior.anchorId === userId && prior.points === -points;
    return { answer: same ? (prior.valid ? "held" : "balanceShort") : "idempotencyConflict" };
  }
  const valid = points <= freePoints(totals);
  const posting: IncomePosting = {
    ...{ kind: "hold", anchorId: userId, points: -points, valid, bizId },
    ...{ orderId: null, reason },
  };
  return { answer: valid ? "held" : "balanceShort", posting };
}

/** A payout under its business id in the ledger, whoever ordered it. */
export type PayoutOrder = Pick<Payout, "userId" | "points" | "reason"> & { readonly bizId: string };

/**
 * Decides a payout on the anchor's locked totals. A business id that is in the ledger gets its first outcome, or
 * `idempotencyConflict` where anchor or points differ. The reason is a note and may differ. `isClosed`: the anchor is
 * erased, and nothing more is paid.
 */
export function decidePayout(
  payout: PayoutOrder,
  totals: IncomeTotals,
  prior: Pick<IncomePosting, "anchorId" | "points" | "valid"> | undefined,
  isClosed = false,
): PayoutDecision {
  const { userId, points, bizId, reason } = payout;
  if (!isPoints(points)) return { answer: "invalidParam" };
  if (prior) {
    const same = prior.anchorId === userId && prior.points === -points;
    return { answer: same ? (prior.valid ? "paid" : "balanceShort") : "idempotencyConflict" };
  }
  if (isClosed) return { answer: "accountUnusable" };
  const valid = points <= freePoints(totals);
  const posting: IncomePosting = {
    ...{ kind: "payout", anchorId: userId, points: -points, valid, bizId },
    ...{ orderId: null, reason: reason ?? null },
  };
  return { answer: valid ? "paid" : "balanceShort", posting };
}
