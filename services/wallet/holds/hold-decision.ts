import { holdId, releaseHoldId } from "../business-ids.ts";
import type { IncomePosting } from "../income/income-posting.ts";
import type { GiftPart } from "./attribution.ts";
import { type HoldState, mayMove } from "./hold-state.ts";

/** The part of a refunded order's coins that was spent on gifts to one anchor. */
export interface AnchorPart {
  anchorId: string;
  parts: GiftPart[];
  /** The refunded coins in these gifts. */
  coins: number;
  /** Her share of these coins, points. */
  sharePoints: number;
  state: HoldState;
}

/** A decision about a share: a posting of kind `hold` (points below zero) or `release` (above zero). */
export type HoldRow = Pick<IncomePosting, "bizId" | "anchorId" | "points">;

/** A posting to write for one anchor; `parts` is empty where a hold is released. */
export interface HoldMove extends HoldRow {
  kind: "hold" | "release";
  parts: readonly GiftPart[];
}

/** The parts by anchor, in the order of the anchors' ids. The order's postings (`rows`) give each share its state. */
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
      const released = written.has(releaseHoldId(orderId, anchorId));
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

/** The anchors whose share is in this state. A share of 0 is held by nobody. */
export const sharesIn = (anchors: readonly AnchorPart[], state: HoldState): AnchorPart[] =>
  anchors.filter((anchor) => anchor.sharePoints > 0 && anchor.state === state);

/** How many shares are in each state. */
export const countShares = (anchors: readonly AnchorPart[]): Record<HoldState, number> => ({
  open: sharesIn(anchors, "open").length,
  held: sharesIn(anchors, "held").length,
  released: sharesIn(anchors, "released").length,
});

/**
 * The postings of an operator's decision: one for every anchor (or the named ones) whose state allows the move. An empty
 * list is a repeat. `null`: no share may make the move, and none has made it.
 */
export function decideHold(
  orderId: string,
  anchors: readonly AnchorPart[],
  to: "held" | "released",
  anchorIds?: readonly string[],
): HoldMove[] | null {
  const meant = anchors.filter(
    (anchor) => anchor.sharePoints > 0 && (!anchorIds || anchorIds.includes(anchor.anchorId)),
  );
  const moving = meant.filter(({ state }) => mayMove(state, to));
  if (moving.length === 0 && !meant.some(({ state }) => state === to)) return null;
  return moving.map(({ anchorId, sharePoints, parts }) =>
    to === "held"
      ? { kind: "hold", bizId: holdId(orderId, anchorId), anchorId, points: -sharePoints, parts }
      : { kind: "release", bizId: releaseHoldId(orderId, anchorId), anchorId, points: sharePoints, parts: [] },
  );
}
