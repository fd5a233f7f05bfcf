import {
  isOpen,
  mayMove,
  type OrderState,
  orderStatus,
  stateOf,
  statusesBefore,
} from "../../../services/payment/order-state.ts";

const states = Object.keys(orderStatus) as OrderState[];

/** The table of spec and operators, said a second time: each state with the states it may become. */
const allowed: [OrderState, OrderState[]][] = [
  ["waiting", ["paying", "paid", "cancelled", "invalid"]],
  ["paying", ["paid", "cancelled", "invalid"]],
  ["paid", ["refunded"]],
  ["cancelled", []],
  ["invalid", []],
  ["refunded", []],
];

describe("an order's states", () => {
  test("have the numbers of the contract", () => {
    expect(orderStatus).toEqual({ waiting: 0, paying: 1, paid: 2, cancelled: 3, invalid: 4, refunded: 5 });
    for (const state of states) expect(stateOf(orderStatus[state])).toBe(state);
    expect(() => stateOf(6)).toThrow(RangeError);
  });

  test.each(allowed)("%s may become %j and nothing else", (from, to) => {
    expect(states.filter((state) => mayMove(from, state)).sort()).toEqual([...to].sort());
  });

  test("those that can still be paid are the open ones", () => {
    expect(states.filter(isOpen)).toEqual(["waiting", "paying"]);
  });

  test("a conditional update asks for exactly the states that allow the move", () => {
    for (const to of states)
      expect(statusesBefore(to)).toEqual(states.filter((from) => mayMove(from, to)).map((from) => orderStatus[from]));
    expect(statusesBefore("paid")).toEqual([0, 1]);
  });
});
