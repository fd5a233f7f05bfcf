import { limits } from "../../../config/limits.ts";
import type { StoredComparison } from "../../../services/payment/reconciliation/comparison-store.ts";
import { dueComparisons } from "../../../services/payment/reconciliation/daily-run.ts";

const beijing = (text: string) => Date.parse(`${text}+08:00`);
const atMs = 10.5 * 3_600_000;
const run = beijing("2026-11-23T10:30:00");
const first = beijing("2026-11-21T12:00:00");
const compared: StoredComparison = {
  ...{ date: "2026-11-22", channel: "wechat", comparedTime: new Date(run), compared: 5 },
  ...{ problem: null, nextTime: null, hasOpen: false },
};

const due = (stored: readonly StoredComparison[], channels = ["wechat"]) =>
  dueComparisons({ run, atMs, first }, channels, stored).map(({ date, channel, again }) => [date, channel, again]);

test("every day since the first order is due for each channel, the oldest first", () => {
  expect(due([], ["wechat", "wallet"])).toEqual([
    ["2026-11-21", "wechat", false],
    ["2026-11-21", "wallet", false],
    ["2026-11-22", "wechat", false],
    ["2026-11-22", "wallet", false],
  ]);
  const long = dueComparisons({ run, atMs, first: 0 }, ["wechat"], []);
  expect(long.map(({ date }) => date)).toHaveLength(limits.payment.reconcileDays);
});

test("a day is due once it has been compared only where it has open differences, once in a run", () => {
  const old = { ...compared, date: "2026-11-21", comparedTime: new Date(run - 1) };
  expect(due([old, compared])).toEqual([]);
  expect(due([{ ...old, hasOpen: true }, compared])).toEqual([["2026-11-21", "wechat", true]]);
  expect(due([{ ...old, hasOpen: true, comparedTime: new Date(run) }, compared])).toEqual([]);
});

test("days that are compared again come after those that were not compared yet: a later bill may explain the difference", () => {
  const old = { ...compared, date: "2026-11-21", comparedTime: new Date(run - 1), hasOpen: true };
  expect(due([old], ["wechat", "wallet"])).toEqual([
    ["2026-11-21", "wallet", false],
    ["2026-11-22", "wechat", false],
    ["2026-11-22", "wallet", false],
    ["2026-11-21", "wechat", true],
  ]);
});

test("a day whose attempt failed stays due, with the time of the next attempt and since when it is due", () => {
  const nextTime = new Date(run + 600_000);
  const [failed] = dueComparisons(
    { run, atMs, first: beijing("2026-11-22T12:00:00") },
    ["wechat"],
    [{ ...compared, comparedTime: null, problem: "not there", nextTime }],
  );
  expect(failed).toEqual({ date: "2026-11-22", channel: "wechat", again: false, since: run, nextTime });
});
