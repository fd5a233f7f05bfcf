import {
  decide,
  isUnsure,
  type KeptKey,
  type KeyState,
  keyMoves,
  keyStateOf,
  keyStates,
  statesBefore,
} from "../../../services/platform/idempotency-state.ts";

const states = Object.keys(keyStates) as KeyState[];
const kept = (state: KeyState, other: Partial<KeptKey> = {}): KeptKey => ({
  ...{ fingerprint: "f", attempt: "a", leaseIsOver: false, earlierLeasesAreOver: true, state },
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
    expect(decide(kept(state, { leaseIsOver: true }), { fingerprint: "g", attempt: "b", rerun: false })).toBe(
      "conflict",
    );
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
  expect(decide(row, { fingerprint: "f", attempt: "b", rerun: false })).toBe(decision);
});

test.each([
  ["of the first attempt, repeated", kept("underWay", { attempt: "b" }), false],
  ["beside one that may be under way", kept("underWay"), true],
  ["after the lease of one that has not ended", kept("underWay", { leaseIsOver: true }), false],
  ["after one that ended", kept("free"), false],
  ["after one that ended beside another", kept("free", { earlierLeasesAreOver: false }), true],
  ["that took over, repeated", kept("underWay", { attempt: "b", earlierLeasesAreOver: false }), true],
])("a beginning %s: whether its refusal is uncertain, where it may be run again", (_name, row, unsure) => {
  const beginning = { fingerprint: "f", attempt: "b", rerun: true };
  expect(isUnsure(row, beginning)).toBe(unsure);
  expect(isUnsure(row, { ...beginning, rerun: false })).toBe(false);
  expect(["run", "takeOver"]).toContain(decide(row, beginning));
});
