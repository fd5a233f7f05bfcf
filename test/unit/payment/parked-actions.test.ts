import { fitsBizCode } from "../../../services/payment/messages.ts";
import { type Mark, parkedReasons } from "../../../services/payment/order.ts";
import { type OrderState, orderStatus } from "../../../services/payment/order-state.ts";
import { isMark, isParkedReason, mayRemove, parkedActions } from "../../../services/payment/parked-actions.ts";

const states = Object.keys(orderStatus) as OrderState[];

test("a mark that decides about coins is never taken off by hand, whatever the order's state", () => {
  for (const mark of ["topicMissing", "creditHeld", "creditChanged", "neverCredited"] as const)
    for (const state of states) expect([mark, state, mayRemove(mark, state)]).toEqual([mark, state, false]);
});

test("a mark of refunded money stays while the order is open: it holds the credit of its payment back", () => {
  for (const mark of ["refundPartial", "refundUnclear"] as const) {
    expect(states.filter((state) => !mayRemove(mark, state))).toEqual(["waiting", "paying"]);
  }
});

test("every other mark may be taken off once it is settled", () => {
  for (const mark of ["paidWhenClosed", "paidTwice", "refundFailed", "refundChanged"] as const)
    for (const state of states) expect(mayRemove(mark, state)).toBe(true);
});

test("there is something to do about every reason why an order needs a person", () => {
  for (const mark of parkedReasons) expect(parkedActions(mark, "paid")).not.toEqual([]);
  expect(parkedActions("creditHeld", "paid")).toEqual(["release", "refund"]);
  expect(parkedActions("creditChanged", "paid")).toEqual(["release", "refund"]);
  expect(parkedActions("refundChanged", "paid")).toEqual(["refund", "remove"]);
});

test("only names of marks are marks", () => {
  for (const name of ["constructor", "toString", "", "paid"])
    expect([isMark(name), isParkedReason(name)]).toEqual([false, false]);
  const never: Mark = "neverCredited";
  expect([isMark(never), isParkedReason(never)]).toEqual([true, false]);
});

test("a recharge keeps the topic that credits coins, and no paid order has the one that takes them back", () => {
  expect(fitsBizCode("pay.recharge", 10_001)).toBe(true);
  expect(fitsBizCode("pay.vip", 10_001)).toBe(false);
  expect(fitsBizCode("pay.vip", 10_002)).toBe(true);
  expect(fitsBizCode("pay.recharge", 10_002)).toBe(true);
  for (const topic of ["pay.refund", "event.payment.paid", "pay.", "pay.>", "pay.a.b"])
    expect([topic, fitsBizCode(topic, 10_002)]).toEqual([topic, false]);
});
