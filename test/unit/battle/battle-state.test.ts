import { battleStates } from "../../../services/battle/battle.contract.ts";
import { type Battle, isFinal, isOverdue, mayMove, type Side, stepOf } from "../../../services/battle/battle-state.ts";

const times = { inviteMs: 30_000, startWithinMs: 30_000, awayMs: 60_000 };
const side: Side = { roomId: 1, userId: "1", seen: true, gone: false, deserted: false, awayMs: null };
const battle = (changes: Partial<Battle>): Battle => ({
  ...{ id: "1", kind: "rooms", state: "invited", durationMs: 60_000, version: 1, shownVersion: 1, invitedMs: 0 },
  ...{ startingMs: null, endAsked: false, endedMs: null, start: null, plannedEnd: null, end: null, winner: null },
  ...{ linked: false, sides: [side, side], ...changes },
});
const running = (changes: Partial<Battle> = {}) =>
  battle({ state: "running", startingMs: 0, start: 1_000, plannedEnd: 61_000, ...changes });

test("a battle moves from invited over running and settling to ended, or is declined, cancelled or expired", () => {
  const moves = battleStates.flatMap((from) =>
    battleStates.filter((to) => mayMove(from, to)).map((to) => `${from} ${to}`),
  );
  expect(moves).toEqual([
    ...["invited running", "invited declined", "invited cancelled", "invited expired"],
    ...["running settling", "settling ended"],
  ]);
});

test("final states are those without a move", () => {
  expect(battleStates.filter(isFinal)).toEqual(["ended", "declined", "cancelled", "expired"]);
});

describe("the scheduler", () => {
  test.each([
    ["leaves an invitation of 29.9 s", battle({ invitedMs: 29_999 }), undefined],
    ["expires one of 30 s", battle({ invitedMs: 30_000 }), "expire"],
    ["starts one that is accepted, however old it is", battle({ invitedMs: 90_000, startingMs: 0 }), "begin"],
    ["expires one that cannot start", battle({ startingMs: 30_000 }), "expire"],
    ["leaves a battle before its planned end", running({ plannedEnd: 50_001 }), undefined],
    ["ends at its planned end", running({ plannedEnd: 50_000 }), "timeUp"],
    ["ends one whose end is asked for", running({ endAsked: true, plannedEnd: 1 }), "finish"],
    ["leaves one whose side is away for 59.9 s", running({ sides: [side, { ...side, awayMs: 59_999 }] }), undefined],
    ["ends one whose side is away for 60 s", running({ sides: [{ ...side, awayMs: 60_000 }, side] }), "desert"],
    ["settles one that is over", battle({ state: "settling" }), "settle"],
    ["has nothing to do for one with a result", battle({ state: "ended" }), undefined],
  ])("%s", (_what, given, step) => {
    expect(stepOf(given, 50_000, times)).toBe(step);
  });
});

test("an invitation is overdue when its time is over, unless it is accepted", () => {
  expect(isOverdue(battle({ invitedMs: 30_000 }), times)).toBe(true);
  expect(isOverdue(battle({ invitedMs: 29_999 }), times)).toBe(false);
  expect(isOverdue(battle({ invitedMs: 30_000, startingMs: 5 }), times)).toBe(false);
  expect(isOverdue(running({ invitedMs: 30_000 }), times)).toBe(false);
});
