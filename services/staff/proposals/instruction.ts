import { z } from "zod";
import { giveUp } from "../../erasure.contract.ts";
import { externalReference, id, integer, orderId, userId } from "../../fields.ts";
import type { Right } from "../../staff-roles.ts";
import type { MoneyMove } from "../proposals.contract.ts";

/** What a move of staff carries out. Pure. */

const anchorIds = z.array(userId).min(1);
const points = id;

/** What will be carried out, as its row keeps it: nothing is looked up again. */
export const instruction = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("refund"), orderId }),
  z.object({ kind: z.literal("release"), orderId }),
  z.object({ kind: z.literal("adjust"), userId, coins: integer(), adjustId: externalReference }),
  z.object({ kind: z.literal("payout"), userId, points, payoutId: externalReference }),
  z.object({ kind: z.literal("hold"), orderId, anchorIds }),
  z.object({ kind: z.literal("releaseHold"), orderId, anchorIds }),
  z.object({ kind: z.literal("holdFree"), userId, points, holdId: externalReference }),
  z.object({ kind: z.literal("releaseFree"), userId, points, holdId: externalReference }),
  z.object({ kind: z.literal("erase"), userId, giveUp }),
]);
export type Instruction = Readonly<z.infer<typeof instruction>>;
export type ProposalKind = Instruction["kind"];

/** The number of each kind, in t_staff_proposal.kind. */
export const proposalKinds: readonly ProposalKind[] = [
  ...(["refund", "release", "adjust", "payout", "hold", "releaseHold", "holdFree", "releaseFree", "erase"] as const),
];

/** The right that a person needs to ask for each kind. */
export const rightFor: Readonly<Record<ProposalKind, Right>> = Object.freeze({
  refund: "refund",
  release: "release",
  adjust: "adjust",
  payout: "payout",
  hold: "holds",
  releaseHold: "holds",
  holdFree: "holds",
  releaseFree: "holds",
  erase: "erase",
});

const pointsPerCoin = 100;

/** Points in coins for four eyes, rounded up: nothing is too small to count. */
export function coinsOfPoints(amount: number): number {
  return Math.ceil(amount / pointsPerCoin);
}

/** What an instruction is about: an order id, the id that was given to it, or the user. */
export function subjectOf(one: Instruction): string {
  switch (one.kind) {
    case "adjust":
      return one.adjustId;
    case "payout":
      return one.payoutId;
    case "holdFree":
    case "releaseFree":
      return one.holdId;
    case "erase":
      return one.userId;
    default:
      return one.orderId;
  }
}

/** Whether the row of a given id is of this move. The reason is a note and may differ. */
export function isOf(one: Instruction, move: MoneyMove): boolean {
  if (one.kind === "adjust") return move.kind === "adjust" && one.userId === move.userId && one.coins === move.coins;
  if (one.kind !== "payout" && one.kind !== "holdFree") return false;
  return move.kind === one.kind && one.userId === move.userId && one.points === move.points;
}

/** The key of a move that has an id of its own, for ever; `null` of one about an order or a hold. */
export function onceKeyOf(move: MoneyMove): string | null {
  if (move.kind === "adjust") return `adjust:${move.adjustId}`;
  if (move.kind === "payout") return `payout:${move.payoutId}`;
  return move.kind === "holdFree" ? `holdFree:${move.holdId}` : null;
}

/** The key of a move about an order or a hold, of which one is open or under way at a time; `null` of the others. */
export function openKeyOf(move: MoneyMove): string | null {
  if (move.kind === "refund" || move.kind === "release") return `${move.kind}:${move.orderId}`;
  if (move.kind === "releaseFree") return `releaseFree:${move.holdId}`;
  if (move.kind === "erase") return `erase:${move.userId}`;
  if (move.kind === "hold" || move.kind === "releaseHold")
    return `${move.kind}:${move.orderId}${move.anchorId === undefined ? "" : `:${move.anchorId}`}`;
  return null;
}

/** What a move is: of moves with one key one is written at a time. */
export const keyOf = (move: MoneyMove): string => onceKeyOf(move) ?? openKeyOf(move) ?? move.kind;
