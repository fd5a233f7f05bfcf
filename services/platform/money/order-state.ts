/**
 * The states of an order to move money, and their moves. Every move is a conditional update (`moveOrder`): of many at once
 * one succeeds.
 * - proposed: an adjustment that a person must approve. Nobody can carry it out: its signature is that of a proposal,
 *   which the wallet does not know.
 * - pending: it will be carried out, whether or not anybody asks for it again. A proposal that is approved, and signed as
 *   an order: proposed → pending
 * - done: its coins or points moved. pending → done
 * - refused: the ledger refused it for ever; nothing moved. pending → refused
 * - declined: a person declined the proposal. proposed → declined
 * - expired: nobody decided on the proposal in time. proposed → expired
 */

/** The number of each state, in t_money_state.state. */
export const orderStates = Object.freeze({
  ...{ proposed: 0, pending: 1, done: 2, refused: 3, declined: 4, expired: 5 },
} as const);
export type MoneyOrderState = keyof typeof orderStates;

/** Every allowed move. */
const moves: Readonly<Record<MoneyOrderState, readonly MoneyOrderState[]>> = Object.freeze({
  proposed: ["pending", "declined", "expired"],
  pending: ["done", "refused"],
  done: [],
  refused: [],
  declined: [],
  expired: [],
});

const names = Object.keys(moves) as MoneyOrderState[];

/** The number of the states from which an order may move to `to`, for the conditional update. */
export function statesBefore(to: MoneyOrderState): number[] {
  return names.filter((from) => moves[from].includes(to)).map((from) => orderStates[from]);
}

/** Whether an order moved coins or still will. */
export function counts(state: MoneyOrderState): boolean {
  return state === "pending" || state === "done";
}

/** @throws RangeError where the number is no state of an order. */
export function stateOf(number: number): MoneyOrderState {
  const name = names.find((one) => orderStates[one] === number);
  if (!name) throw new RangeError(`no state of an order: ${number}`);
  return name;
}
