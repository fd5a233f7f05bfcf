import { limits } from "../../../config/limits.ts";
import { type AttemptKind, countedFailures, pauseAfter, waitOf } from "../../../services/staff/pauses.ts";

test.each<[AttemptKind, number, number]>([
  ["pair", 5, 15 * 60_000],
  ["address", 20, 15 * 60_000],
  ["person", 20, 60_000],
])("failures of a %s: %d without a pause, then twice as long each time, at most %d ms", (kind, free, most) => {
  expect(pauseAfter(kind, free - 1)).toBe(0);
  expect([0, 1, 2, 3].map((more) => pauseAfter(kind, free + more))).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect([pauseAfter(kind, free + 20), pauseAfter(kind, 4_294_967_295)]).toEqual([most, most]);
});

test("the longest pause counts, from the last failure on", () => {
  const now = 1_800_000_000_000;
  const pair = { kind: "pair", failures: 6, failedTime: now - 500 } as const;
  const address = { kind: "address", failures: 23, failedTime: now - 5_000 } as const;
  expect(waitOf([pair], now)).toBe(1_500);
  expect(waitOf([pair, address], now)).toBe(3_000);
  expect(waitOf([], now)).toBe(0);
  expect(waitOf([pair], now + 1_500)).toBe(0);
});

test("failures are forgotten a day after the last one", () => {
  const failed = { kind: "pair", failures: 30, failedTime: 0 } as const;
  expect(countedFailures(failed, limits.staff.failuresKeptMs)).toBe(30);
  expect(countedFailures(failed, limits.staff.failuresKeptMs + 1)).toBe(0);
});
