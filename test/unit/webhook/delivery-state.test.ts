import {
  type DeliveryState,
  firstState,
  stateOf,
  states,
  statesBefore,
} from "../../../services/webhook/delivery-state.ts";

const before = (to: DeliveryState) => statesBefore(to).map(stateOf).sort();

test("only what is due is sent, and only what has ended is replayed", () => {
  expect([before("succeeded"), before("failed")]).toEqual([["due"], ["due"]]);
  expect(before("queued")).toEqual(["failed", "succeeded"]);
  expect(before("due")).toEqual(["due", "failed", "queued", "succeeded"]);
});

test("a delivery of an ordered subscription is queued first", () => {
  expect([firstState(true), firstState(false)]).toEqual(["queued", "due"]);
});

test("every state has a number of its own, and no other number is one", () => {
  expect(Object.keys(states).map((name) => stateOf(states[name as DeliveryState]))).toEqual(Object.keys(states));
  expect(() => stateOf(9)).toThrow(RangeError);
});
