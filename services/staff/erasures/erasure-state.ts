/**
 * The states of an erasure, and the moves between them. It begins when another person approves the proposal of kind erase
 * (proposals/proposal-state.ts has open, approved, declined and expired). Every move is a conditional write of one row: of
 * many nodes at once one succeeds.
 * - closing: the wallet is asked to close the account. Nothing is erased yet.
 * - erasing: the account is closed, and from here there is no way back. Each service erases what it has of the person, one
 *   after the other; one that is away, or waits for something, is asked again until it has. closing → erasing
 * - erased: all have. erasing → erased
 *
 * A row of closing is removed where the wallet refuses: then the proposal is refused, and nothing has changed.
 */
export const erasureStates = Object.freeze({ closing: 0, erasing: 1, erased: 2 } as const);
export type ErasureState = keyof typeof erasureStates;

/** Every allowed move. */
const moves: Readonly<Record<ErasureState, readonly ErasureState[]>> = Object.freeze({
  closing: ["erasing"],
  erasing: ["erased"],
  erased: [],
});

const names = Object.keys(moves) as ErasureState[];

export function mayMove(from: ErasureState, to: ErasureState): boolean {
  return moves[from].includes(to);
}

/** The numbers of the states from which a move may get to `to`. */
export function statesBefore(to: ErasureState): number[] {
  return names.filter((from) => mayMove(from, to)).map((from) => erasureStates[from]);
}

/** @throws RangeError where the number is no state. */
export function stateOf(number: number): ErasureState {
  const name = names.find((one) => erasureStates[one] === number);
  if (!name) throw new RangeError(`no state of an erasure: ${number}`);
  return name;
}

/**
 * The services that erase, in their order: first what ends sessions and shows the name, then what waits for money and rooms,
 * then the staff's own texts. The wallet has closed the account before.
 */
export const erasingServices = ["user", "living-room", "payment", "platform", "wallet", "staff"] as const;
export type ErasingService = (typeof erasingServices)[number];

/** The next service; `undefined` where all are done. */
export const nextService = (done: readonly string[]): ErasingService | undefined =>
  erasingServices.find((one) => !done.includes(one));
