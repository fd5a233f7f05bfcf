import fc from "fast-check";
import { Rate, UserRate } from "../../mixins/user-rate.ts";

const perSecond = fc.integer({ min: 1, max: 10_000 });
/** As `performance.now()` gives them, of a process that has run for up to a month. */
const time = fc.double({ min: 0, max: 30 * 24 * 3_600_000, noNaN: true });

/** How many of so many tries are within the rate. */
function taken(rate: Rate, tries: number, nowMs: (n: number) => number): number {
  let [paidUntil, count] = [0, 0];
  for (let n = 0; n < tries; n++) {
    const next = rate.take(paidUntil, nowMs(n));
    if (next !== undefined) count++;
    paidUntil = next ?? paidUntil;
  }
  return count;
}

test("a full burst is within the rate, and not one more, at every rate and every time", () => {
  fc.assert(
    fc.property(perSecond, time, (most, startMs) => {
      expect(taken(new Rate(most, most), most + 10, () => startMs)).toBe(most);
    }),
    // The most roundings of the largest times.
    { examples: [[10_000, 2_592_000_000.1]] },
  );
});

test("over a time no more are within the rate than a burst and what the rate allows", () => {
  const steps = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), time, steps, (most, startMs, gaps) => {
      const ends = gaps.map((_gap, n) => gaps.slice(0, n + 1).reduce((sum, gap) => sum + gap, startMs));
      const lastedMs = (ends.at(-1) as number) - startMs;
      const letIn = taken(new Rate(most, most), gaps.length, (n) => ends[n] as number);
      // A tenth of one more is what rounding is allowed.
      expect(letIn).toBeLessThanOrEqual(most + (lastedMs * most) / 1_000 + 0.11);
    }),
  );
});

test("what is restored can be taken again, once; for a user who took none nothing is restored", () => {
  const rate = new UserRate(new Rate(3, 3), 10);
  const take = (times: number) => Array.from({ length: times }, () => rate.take("1", 777.7)).filter(Boolean).length;
  rate.restore("1");
  expect(take(5)).toBe(3);
  rate.restore("1");
  expect(take(2)).toBe(1);
});
