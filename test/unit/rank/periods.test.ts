import { Calendar, spans } from "../../../services/rank/periods.ts";

const at = (zone: string, time: string) => new Calendar(zone).periodsOf(Date.parse(time));

test("day, week and month turn over at midnight of the zone, and a week begins on Monday", () => {
  // 2026-11-29 is a Sunday.
  expect(at("Asia/Shanghai", "2026-11-29T15:59:59.999Z")).toEqual({
    day: 20261129,
    week: 20261123,
    month: 202611,
    all: 0,
  });
  expect(at("Asia/Shanghai", "2026-11-29T16:00:00.000Z")).toEqual({
    day: 20261130,
    week: 20261130,
    month: 202611,
    all: 0,
  });
  expect(at("Asia/Shanghai", "2026-11-30T16:00:00.000Z")).toEqual({
    day: 20261201,
    week: 20261130,
    month: 202612,
    all: 0,
  });
});

test("a week may begin in the month, and the year, before", () => {
  expect(at("UTC", "2027-01-01T00:00:00.000Z")).toEqual({ day: 20270101, week: 20261228, month: 202701, all: 0 });
});

test("a day of 23 hours and one of 25 have one midnight each", () => {
  const hours = (zone: string, from: string, day: number) =>
    Array.from({ length: 60 }, (_, n) => at(zone, new Date(Date.parse(from) + n * 3_600_000).toISOString()).day).filter(
      (one) => one === day,
    ).length;
  expect(hours("Europe/Berlin", "2026-03-28T12:00:00Z", 20260329)).toBe(23);
  expect(hours("Europe/Berlin", "2026-10-24T12:00:00Z", 20261025)).toBe(25);
  expect(hours("Asia/Shanghai", "2026-10-24T12:00:00Z", 20261025)).toBe(24);
});

test("in a zone whose day begins at a quarter of an hour of UTC, that quarter decides", () => {
  expect(at("Asia/Kathmandu", "2026-05-05T18:14:59.999Z").day).toBe(20260505);
  expect(at("Asia/Kathmandu", "2026-05-05T18:15:00.000Z").day).toBe(20260506);
});

test("periods grow with time, over two years of a zone with summer time", () => {
  const calendar = new Calendar("America/New_York");
  let last = calendar.periodsOf(Date.UTC(2026, 0, 1));
  for (let time = Date.UTC(2026, 0, 1); time < Date.UTC(2028, 0, 1); time += 7 * 3_600_000) {
    const now = calendar.periodsOf(time);
    for (const span of spans) expect(now[span]).toBeGreaterThanOrEqual(last[span]);
    last = now;
  }
});

test("boards are kept for days, weeks and months after their period, those of all time for ever", () => {
  const calendar = new Calendar("UTC");
  const now = Date.parse("2026-11-26T12:00:00Z");
  const kept = (span: (typeof spans)[number], period: number) => calendar.isKept(span, period, now);
  expect([kept("day", 20261119), kept("day", 20261118)]).toEqual([true, false]);
  expect([kept("week", 20261026), kept("week", 20261019)]).toEqual([true, false]);
  expect([kept("month", 202609), kept("month", 202608)]).toEqual([true, false]);
  expect(kept("all", 0)).toBe(true);
});

test("a zone that does not exist is refused", () => {
  expect(() => new Calendar("Mars/Olympus")).toThrow(RangeError);
});
