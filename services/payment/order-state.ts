/**
 * The states of an order, and the events that move it. Every move is a conditional update (`moveOrder`): of many at
 * once one succeeds.
 * - waiting: the order is written, and the provider is asked for a way to pay.
 * - paying: the payer has the way to pay. waiting → paying
 * - paid: the provider reported a payment of the order's amount. waiting, paying → paid
 * - cancelled: the provider reported that the payer cancelled, or that it closed the order. waiting, paying → cancelled
 * - invalid: it expired unpaid, and was closed at the provider. waiting, paying → invalid
 * - refunded: an operator refunds it, or the provider reported a full refund. paid → refunded
 */

/** The number of each state, in t_pay_order.status and for clients. */
export const orderStatus = Object.freeze({ waiting: 0, paying: 1, paid: 2, cancelled: 3, invalid: 4, refunded: 5 });
export type OrderState = keyof typeof orderStatus;

/** Every allowed move. An order is paid at most once, and a closed order is never paid. */
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

/** Whether an order can still be paid. If so, its provider is asked about it. */
export function isOpen(state: OrderState): boolean {
  return mayMove(state, "paid");
}

/** The status numbers from which an order may move to `to`, for the conditional update. */
export function statusesBefore(to: OrderState): number[] {
  return states.filter((from) => mayMove(from, to)).map((from) => orderStatus[from]);
}

/** @throws RangeError where the number is no status of an order. */
export function stateOf(status: number): OrderState {
  const state = states.find((name) => orderStatus[name] === status);
  if (!state) throw new RangeError(`no order status: ${status}`);
  return state;
}
