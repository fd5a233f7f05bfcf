import { OvationError } from "../../../clients/typescript/src/errors.ts";
import { defaultRepeats, pause, pausesOf } from "../../../clients/typescript/src/repeats.ts";

const away = (retryAfterMs?: number) => new OvationError("away", { name: "unavailable", answered: true, retryAfterMs });

test("pauses double up to their cap and are random below it", () => {
  const pauses = (random: number) => {
    const next = pausesOf({ ...defaultRepeats, attempts: 8, random: () => random }, () => 0);
    return Array.from({ length: 8 }, () => next(away()));
  };
  expect(pauses(1)).toEqual([300, 600, 1200, 2400, 4800, 5000, 5000, undefined]);
  expect(pauses(0)).toEqual([0, 0, 0, 0, 0, 0, 0, undefined]);
});

test("a wait that the server names is kept, with a random part after it", () => {
  const next = pausesOf({ ...defaultRepeats, random: () => 0.5 }, () => 0);
  expect(next(away(2_000))).toBe(2_150);
});

test("no repeat begins after the time of the call", () => {
  let now = 0;
  const next = pausesOf({ ...defaultRepeats, totalMs: 1_000, random: () => 0 }, () => now);
  expect(next(away(1_000))).toBe(1_000);
  now = 1;
  expect(next(away(1_000))).toBeUndefined();
});

test("a pause leaves no listener at a signal that outlives it", async () => {
  const { signal } = new AbortController();
  const removed = jest.spyOn(signal, "removeEventListener");
  await pause(0, signal);
  expect(removed).toHaveBeenCalledWith("abort", expect.any(Function));
});
