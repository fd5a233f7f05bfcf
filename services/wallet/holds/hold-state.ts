/** How an anchor's share of a refunded order's gifts stands: hers, held back, or let go after it was held back. */
export type HoldState = "open" | "held" | "released";

/** Every move there is. What was let go stays so: a repeat of an old order to hold must not take it again. */
const moves: Readonly<Record<HoldState, readonly HoldState[]>> = Object.freeze({
  open: ["held"],
  held: ["released"],
  released: [],
});

export function mayMove(from: HoldState, to: HoldState): boolean {
  return moves[from].includes(to);
}
