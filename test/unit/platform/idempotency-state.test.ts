import {
  decide,
  type KeptKey,
  type KeyState,
  keyMoves,
  keyStateOf,
  keyStates,
  statesBefore,
} from "../../../services/platform/idempotency-state.ts";

const states = Object.keys(keyStates) as KeyState[];
const kept = (state: KeyState, other: Partial<KeptKey> = {}): KeptKey => ({
  ...{ fingerprint: "f", attempt: "a", leaseIsOver: false, state },
  ...other,
});

test("an answered key stays so, and only an attempt under way ends", () => {
  expect(keyMoves.answered).toEqual([]);
  for (const state of states)
    expect(keyMoves[state].includes("answered") || keyMoves[state].includes("free")).toBe(state === "underWay");
  expect(statesBefore("answered")).toEqual([keyStates.underWay]);
  expect(statesBefore("underWay").sort()).toEqual([keyStates.underWay, keyStates.free]);
});

test("a state is read from its number, and no other number is one", () => {
  for (const state of states) expect(keyStateOf(keyStates[state])).toBe(state);
  expect(() => keyStateOf(0)).toThrow(RangeError);
});

test("other content is a conflict in every state", () => {
  for (const state of states)
    expect(decide(kept(state, { leaseIsOver: true }), { fingerprint: "g", attempt: "b" })).toBe("conflict");
});

test.each([
  [kept("answered"), "answer"],
  [kept("answered", { attempt: "b", leaseIsOver: true }), "answer"],
  [kept("free"), "takeOver"],
  [kept("underWay"), "wait"],
  [kept("underWay", { leaseIsOver: true }), "takeOver"],
  [kept("underWay", { attempt: "b" }), "run"],
  [kept("underWay", { attempt: "b", leaseIsOver: true }), "run"],
])("%j of attempt b: %s", (row, decision) => {
  expect(decide(row, { fingerprint: "f", attempt: "b" })).toBe(decision);
});
