import {
  type ErasureState,
  erasingServices,
  erasureStates,
  nextService,
  stateOf,
  statesBefore,
} from "../../../services/staff/erasures/erasure-state.ts";
import { keyOf, onceKeyOf, openKeyOf, rightFor, subjectOf } from "../../../services/staff/proposals/instruction.ts";

const states = Object.keys(erasureStates) as ErasureState[];

test("an erasure closes the account, erases and is erased, in this order and never back", () => {
  expect(Object.fromEntries(states.map((state) => [state, statesBefore(state).map(stateOf)]))).toEqual({
    ...{ closing: [], erasing: ["closing"], erased: ["erasing"] },
  });
  expect(() => stateOf(3)).toThrow(RangeError);
});

test("services erase one after the other, those that are done not again, and the first one ends the logins", () => {
  const done: string[] = [];
  for (let next = nextService(done); next; next = nextService(done)) done.push(next);
  expect([done, done[0]]).toEqual([[...erasingServices], "user"]);
  expect(nextService(["user", "payment"])).toBe("living-room");
});

test("a proposal to erase is about the user, of whom one is open at a time, and needs a right of its own", () => {
  const move = { kind: "erase", userId: "7", giveUp: true, reason: "r" } as const;
  expect([onceKeyOf(move), openKeyOf(move), keyOf(move), rightFor.erase]).toEqual([
    null,
    "erase:7",
    "erase:7",
    "erase",
  ]);
  expect(subjectOf({ kind: "erase", userId: "7", giveUp: true })).toBe("7");
});
