import { holdId, releaseId } from "../business-ids.ts";
import type { IncomePosting } from "../income/income-posting.ts";
import type { GiftPart } from "./attribution.ts";
import { type HoldState, mayMove } from "./hold-state.ts";

/** What of a refunded order's coins went to one anchor. */
export interface AnchorPart {
  anchorId: string;
  parts: GiftPart[];
  /** Coins of the gifts that were paid with the refunded ones. */
  coins: number;
  /** Her share of them. */
  sharePoints: number;
  state: HoldState;
}

/** What was decided of the order's shares: a posting of kind hold (points below zero) or release (above zero). */
export type HoldRow = Pick<IncomePosting, "bizId" | "anchorId" | "points">;

/** A posting to write for one anchor; `parts` where the share is held back. */
export interface HoldMove extends HoldRow {
  kind: "hold" | "release";
  parts: readonly GiftPart[];
}

/** The parts by anchor, in the order of the anchors' ids, with the state that the order's rows say. */
export function anchorsOf(orderId: string, parts: readonly GiftPart[], rows: readonly HoldRow[]): AnchorPart[] {
  const written = new Map(rows.map((row) => [row.bizId, row]));
  const byAnchor = new Map<string, GiftPart[]>();
  for (const part of parts) {
    const own = byAnchor.get(part.gift.anchorId);
    if (own) own.push(part);
    else byAnchor.set(part.gift.anchorId, [part]);
  }
  return [...byAnchor]
    .map(([anchorId, own]) => {
      const held = written.get(holdId(orderId, anchorId));
      const released = written.has(releaseId(orderId, anchorId));
      return {
        anchorId,
        parts: own,
        coins: own.reduce((sum, { coins }) => sum + coins, 0),
        sharePoints: held ? -held.points : own.reduce((sum, part) => sum + part.sharePoints, 0),
        state: released ? ("released" as const) : held ? ("held" as const) : ("open" as const),
      };
    })
    .sort((a, b) => a.anchorId.length - b.anchorId.length || (a.anchorId < b.anchorId ? -1 : 1));
}

/**
 * What an operator's decision writes: for every anchor, or the one that is named, whose state allows the move. `null`
 * where there is nobody for whom it could be done or has been done.
 */
export function decideHold(
  orderId: string,
  anchors: readonly AnchorPart[],
  to: "held" | "released",
  anchorId?: string,
): HoldMove[] | null {
  const meant = anchors.filter((anchor) => anchor.sharePoints > 0 && (!anchorId || anchor.anchorId === anchorId));
  const moving = meant.filter(({ state }) => mayMove(state, to));
  if (moving.length === 0 && !meant.some(({ state }) => state === to)) return null;
  return moving.map(({ anchorId, sharePoints, parts }) =>
    to === "held"
      ? { kind: "hold", bizId: holdId(orderId, anchorId), anchorId, points: -sharePoints, parts }
      : { kind: "release", bizId: releaseId(orderId, anchorId), anchorId, points: sharePoints, parts: [] },
  );
}
