import type { ParkedAction } from "./operators.contract.ts";
import { type Mark, moneyGone, type Parked, parkedReasons } from "./order.ts";
import { isOpen, type OrderState } from "./order-state.ts";

/**
 * What an operator may do about each mark of an order. A mark that decides about coins is never taken off by hand:
 * - topicMissing, creditHeld, creditChanged: they are the fact that a paid order is not credited. A credit or a refund
 *   ends them.
 * - neverCredited: the fact that a refunded order has no coins to take back.
 * - refundPartial, refundUnclear of an open order: they hold its credit back once its payment is reported.
 */
const actions: Readonly<Record<Mark, readonly ParkedAction[]>> = Object.freeze({
  topicMissing: ["setTopic", "refund"],
  creditHeld: ["release", "refund"],
  creditChanged: ["release", "refund"],
  paidWhenClosed: ["remove"],
  paidTwice: ["remove"],
  refundPartial: ["remove"],
  refundUnclear: ["remove"],
  refundFailed: ["remove"],
  refundChanged: ["refund", "remove"],
  neverCredited: [],
});

const ofRefundedMoney: readonly Mark[] = moneyGone;

/** What may be done about a mark of an order in this state. */
export function parkedActions(mark: Mark, state: OrderState): ParkedAction[] {
  const held = isOpen(state) && ofRefundedMoney.includes(mark);
  return actions[mark].filter((action) => action !== "remove" || !held);
}

/** Whether an operator may take the mark off an order in this state. */
export function mayRemove(mark: Mark, state: OrderState): boolean {
  return parkedActions(mark, state).includes("remove");
}

export function isMark(text: string): text is Mark {
  return Object.hasOwn(actions, text);
}

export function isParkedReason(text: string): text is Parked {
  return (parkedReasons as readonly string[]).includes(text);
}
