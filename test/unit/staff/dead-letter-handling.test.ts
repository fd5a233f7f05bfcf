import { mayBegin, statesBefore } from "../../../services/staff/dead-letters/handling-state.ts";

const states = ["begun", "done", "freed"] as const;
const decisions = ["replay", "giveUp"] as const;

test("a decision on a dead letter begins where none is in force, and only then", () => {
  const table = states.flatMap((state) =>
    decisions.flatMap((known) =>
      [true, false].flatMap((leased) =>
        decisions.map((decision) => [
          `${state} ${known}${leased ? " leased" : ""}, ${decision}`,
          mayBegin({ state, decision: known, leased }, decision),
        ]),
      ),
    ),
  );
  const begins = table.filter(([, verdict]) => verdict === "begin").map(([what]) => what);
  expect(begins).toEqual([
    // The same again alone: the other one may still take effect.
    "begun replay, replay",
    "begun giveUp, giveUp",
    ...["freed replay leased, replay", "freed replay leased, giveUp", "freed replay, replay", "freed replay, giveUp"],
    ...["freed giveUp leased, replay", "freed giveUp leased, giveUp", "freed giveUp, replay", "freed giveUp, giveUp"],
  ]);
  expect(table.filter(([, verdict]) => verdict === "other").map(([what]) => what)).toEqual([
    ...["begun replay, giveUp", "begun giveUp, replay"],
  ]);
});

test("what is done stays done", () => {
  expect(statesBefore("done")).toEqual(["begun"]);
  expect(statesBefore("freed")).toEqual(["begun"]);
  expect(statesBefore("begun")).toEqual(["begun", "freed"]);
});
