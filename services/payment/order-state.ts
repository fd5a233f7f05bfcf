/**
 * The states of an order, and what moves it. Every move is a conditional update (`moveOrder`): of many at once one is made.
 *
 * - waiting: the order is written, its provider is being asked how it is paid.
 * - paying: the payer knows how. waiting → paying
 * - paid: the provider reported a payment of the order's amount. waiting, paying → paid
 * - cancelled: the provider reported that the payer cancelled, or that it closed the order. waiting, paying → cancelled
 * - invalid: it expired unpaid, and was closed at the provider. waiting, paying → invalid
 * - refunded: an operator refunds it, or the provider reported that the whole payment went back. paid → refunded
 */

/** The states of an order by the number that t_pay_order.status and clients know them by. */
export const orderStatus = Object.freeze({ waiting: 0, paying: 1, paid: 2, cancelled: 3, invalid: 4, refunded: 5 });
export type OrderState = keyof typeof orderStatus;

/** Every move there is. An order is paid at most once, and what was closed is never paid afterwards. */
const moves: Readonly<Record<OrderState, readonly OrderState[]>> = Object.freeze({
  waiting: ["paying", "paid", "cancelled", "invalid"],
  paying: ["paid", "cancelled", "invalid"],
  paid: ["refunded"],
  cancelled: [],
  invalid: [],
  refunded: [],
});

const states = Object.keys(moves) as OrderState[];

export function mayMove(from: OrderState, to: OrderState): boolean {
  return moves[from].includes(to);
}

/** Whether an order can still be paid: its provider is asked about it. */
export function isOpen(state: OrderState): boolean {
  return mayMove(state, "paid");
}

/** The status numbers an order may have for a move to `to`: what a conditional update asks for. */
export function statusesBefore(to: OrderState): number[] {
  return states.filter((from) => mayMove(from, to)).map((from) => orderStatus[from]);
}

/** @throws RangeError where the number is no status of an order. */
export function stateOf(status: number): OrderState {
  const state = states.find((name) => orderStatus[name] === status);
  if (!state) throw new RangeError(`no order status: ${status}`);
  return state;
}
