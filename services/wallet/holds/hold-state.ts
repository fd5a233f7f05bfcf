/**
 * The states of an anchor's share of the gifts that were paid with a refunded order's coins, by order and anchor:
 *
 *   open      part of her free income           -> held      an operator holds it back (posting of kind `hold`)
 *   held      taken out of her free income      -> released  an operator releases the hold (kind `release`)
 *   released  part of her free income for ever: a late repeat of a hold must not take it again
 */
export type HoldState = "open" | "held" | "released";

/** Every allowed move. */
const moves: Readonly<Record<HoldState, readonly HoldState[]>> = Object.freeze({
  open: ["held"],
  held: ["released"],
  released: [],
});

export function mayMove(from: HoldState, to: HoldState): boolean {
  return moves[from].includes(to);
}
