import { type PersonMove, type PersonState, stateAfter } from "../../../services/staff/person-state.ts";

const states: readonly PersonState[] = ["invited", "active", "disabled"];
const moves: readonly PersonMove[] = ["enrol", "reset", "disable", "enable"];

/** From a state by a move, of who has a password; every other move is refused. */
const allowed: Readonly<Record<string, PersonState>> = {
  "invited enrol": "active",
  "invited reset": "invited",
  "invited disable": "disabled",
  "active reset": "invited",
  "active disable": "disabled",
  "disabled enable": "active",
};

test.each(states.flatMap((state) => moves.map((move) => [state, move] as const)))("%s, %s", (state, move) => {
  expect(stateAfter(state, move, true)).toBe(allowed[`${state} ${move}`]);
});

test("who is enabled without a password is invited, not active", () => {
  expect(stateAfter("disabled", "enable", false)).toBe("invited");
});
