import fc from "fast-check";
import { payoutPostingId } from "../../../services/wallet/business-ids.ts";
import {
  decidePayout,
  freePoints,
  type IncomePosting,
  type IncomeTotals,
  noIncome,
} from "../../../services/wallet/income/income-posting.ts";

const totals = (earnedPoints: number, heldBackPoints = 0, paidOutPoints = 0): IncomeTotals => ({
  ...{ earnedPoints, heldBackPoints, paidOutPoints },
});
const payout = (points: number, payoutId = "p-1", userId = "7") => ({
  ...{ userId, points, bizId: payoutPostingId(payoutId) },
});

describe("the decision of a payout", () => {
  test("takes free income to the last point, and no more", () => {
    expect(decidePayout(payout(150), totals(500, 200, 150), undefined)).toMatchObject({
      answer: "paid",
      posting: { kind: "payout", anchorId: "7", points: -150, valid: true, bizId: "payout:p-1" },
    });
    expect(decidePayout(payout(151), totals(500, 200, 150), undefined)).toMatchObject({
      answer: "balanceShort",
      posting: { points: -151, valid: false },
    });
    expect(decidePayout(payout(1), noIncome, undefined).answer).toBe("balanceShort");
    expect(decidePayout(payout(1), totals(100, 200), undefined).answer).toBe("balanceShort");
  });

  test("pays nothing of an erased anchor, and answers a repeat as before", () => {
    expect(decidePayout(payout(1), totals(500), undefined, true)).toEqual({ answer: "accountUnusable" });
    const prior = { anchorId: "7", points: -1, valid: true };
    expect(decidePayout(payout(1), totals(500, 0, 1), prior, true)).toEqual({ answer: "paid" });
  });

  test.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "5" as unknown as number, undefined as never])(
    "of %p points is none",
    (points) => {
      expect(decidePayout(payout(points), totals(1_000), undefined)).toEqual({ answer: "invalidParam" });
    },
  );

  test("with a used id gets the first answer and writes nothing; with other content it is a conflict", () => {
    const paid = { anchorId: "7", points: -100, valid: true };
    expect(decidePayout(payout(100), noIncome, paid)).toEqual({ answer: "paid" });
    expect(decidePayout(payout(100), totals(1_000), { ...paid, valid: false })).toEqual({ answer: "balanceShort" });
    for (const other of [payout(101), payout(100, "p-1", "8")])
      expect(decidePayout(other, totals(1_000), paid)).toEqual({ answer: "idempotencyConflict" });
  });

  test("among gifts, holds and releases in any order never brings the free income below zero, and all points add up", () => {
    const step = fc.record({
      kind: fc.constantFrom("gifts", "hold", "release", "payout", "payout"),
      points: fc.integer({ min: 1, max: 300 }),
      id: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const now = { ...noIncome };
        const rows: Pick<IncomePosting, "kind" | "points" | "valid">[] = [];
        const byId = new Map<string, IncomePosting>();
        const post = (row: (typeof rows)[number]) => rows.push(row);
        for (const { kind, points, id } of steps) {
          if (kind === "gifts") {
            now.earnedPoints += points;
            post({ kind, points, valid: true });
          } else if (kind === "hold") {
            // A hold takes from what was earned, whether or not it was paid out.
            const held = Math.min(points, now.earnedPoints - now.heldBackPoints);
            now.heldBackPoints += held;
            if (held > 0) post({ kind, points: -held, valid: true });
          } else if (kind === "release") {
            const released = Math.min(points, now.heldBackPoints);
            now.heldBackPoints -= released;
            if (released > 0) post({ kind, points: released, valid: true });
          } else {
            const before = freePoints(now);
            const bizId = `p-${id}`;
            const { answer, posting } = decidePayout(payout(points, bizId), now, byId.get(bizId));
            if (posting) {
              post(posting);
              byId.set(bizId, posting);
              if (posting.valid) now.paidOutPoints -= posting.points;
            }
            expect(answer === "paid" && posting ? freePoints(now) >= 0 : freePoints(now) === before).toBe(true);
          }
          expect(now.paidOutPoints).toBeLessThanOrEqual(now.earnedPoints);
        }
        const valid = rows.filter((row) => row.valid);
        expect(valid.reduce((sum, row) => sum + row.points, 0)).toBe(freePoints(now));
      }),
      { numRuns: 500 },
    );
  });
});
