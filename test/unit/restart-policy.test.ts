import {
  initialState,
  moves,
  next,
  type ProcessEvent,
  pauseMs,
  type RestartState,
  readRestarts,
} from "../../scripts/restart-policy.ts";

const limits = { most: 3, withinMs: 60_000, firstPauseMs: 500, maxPauseMs: 1_500 };

/** What happened, each a second after the other. */
function after(...events: ProcessEvent[]): RestartState {
  return events.reduce((state, event, n) => next(state, event, (n + 1) * 1_000, limits), initialState);
}

const cycle: ProcessEvent[] = ["failed", "pauseOver", "ready"];

test.each<[string, ProcessEvent[]]>([
  ["up", ["ready"]],
  ["pausing", ["ready", "failed"]],
  ["restarting", ["ready", "failed", "pauseOver"]],
  ["up", ["ready", ...cycle]],
  ["pausing", ["ready", "failed", "pauseOver", "failed"]],
  ["pausing", ["ready", ...cycle, ...cycle, "failed"]],
  ["givenUp", ["ready", ...cycle, ...cycle, ...cycle, "failed"]],
  ["givenUp", ["ready", "failed", "pauseOver", "failed", "pauseOver", "failed", "pauseOver", "failed"]],
  ["ended", ["failed"]],
  ["ended", ["endedWell"]],
  ["ended", ["ready", "endedWell"]],
  ["stopping", ["ready", "stop"]],
  ["ended", ["ready", "stop", "failed"]],
  ["ended", ["ready", "failed", "stop"]],
  ["ended", ["ready", "failed", "stop", "pauseOver"]],
  ["ended", ["ready", "failed", "pauseOver", "stop", "failed"]],
])("it is %s after %j", (phase, events) => {
  expect(after(...events).phase).toBe(phase);
});

test("only failures within the time count", () => {
  let state: RestartState = { phase: "up", failures: [] };
  for (let n = 0; n < 20; n++) {
    state = next(state, "failed", n * 20_001, limits);
    expect(state.phase).toBe("pausing");
    state = next(next(state, "pauseOver", n * 20_001, limits), "ready", n * 20_001, limits);
  }
});

test("the pause doubles with each failure, up to the longest, and is short again after a quiet time", () => {
  let state = after("ready", "failed");
  const pauses = [pauseMs(state, limits)];
  for (let n = 0; n < 2; n++) {
    state = next(next(state, "pauseOver", 10_000, limits), "failed", 10_000, limits);
    pauses.push(pauseMs(state, limits));
  }
  expect(pauses).toEqual([500, 1_000, 1_500]);
  state = next(next(state, "pauseOver", 10_000, limits), "failed", 200_000, limits);
  expect(pauseMs(state, limits)).toBe(500);
});

test("what is over stays over, whatever happens", () => {
  for (const phase of ["ended", "givenUp"] as const)
    for (const event of ["ready", "endedWell", "failed", "pauseOver", "stop"] as const)
      expect(next({ phase, failures: [] }, event, 0, limits).phase).toBe(phase);
});

test("every phase can be left for an end", () => {
  const reachable = (phase: keyof typeof moves, seen: Set<string>): boolean => {
    if (phase === "ended") return true;
    if (seen.has(phase)) return false;
    seen.add(phase);
    return Object.values(moves[phase]).some((to) => reachable(to, seen));
  };
  for (const phase of ["starting", "up", "pausing", "restarting", "stopping"] as const)
    expect(reachable(phase, new Set())).toBe(true);
});

test("--restarts takes a number", () => {
  expect(readRestarts(undefined).most).toBe(5);
  expect(readRestarts("0").most).toBe(0);
  for (const wrong of ["", "-1", "1.5", "many", "1000"]) expect(() => readRestarts(wrong)).toThrow(/--restarts/);
});

test("with no restarts at all the first failure is the last", () => {
  expect(next({ phase: "up", failures: [] }, "failed", 0, { ...limits, most: 0 }).phase).toBe("givenUp");
});
