import fc from "fast-check";
import { freeHoldId } from "../../../services/wallet/business-ids.ts";
import { decideFreeHold, freePoints, type IncomeTotals } from "../../../services/wallet/income/income-posting.ts";

const totals = (earnedPoints: number, heldBackPoints = 0, paidOutPoints = 0): IncomeTotals => ({
  ...{ earnedPoints, heldBackPoints, paidOutPoints },
});
const hold = (points: number, holdId = "h-1", userId = "7") => ({
  ...{ userId, points, bizId: freeHoldId(holdId), reason: "r" },
});

describe("the decision of a hold of free income", () => {
  test("holds free income to the last point, and no more; a refusal leaves a row that moves nothing", () => {
    expect(decideFreeHold(hold(150), totals(500, 200, 150), undefined)).toEqual({
      answer: "held",
      posting: {
        ...{
          kind: "hold",
          anchorId: "7",
          points: -150,
          valid: true,
          bizId: "free-hold:h-1",
          orderId: null,
          reason: "r",
        },
      },
    });
    for (const [order, known] of [
      [hold(151), totals(500, 200, 150)],
      [hold(1), totals(100, 200)],
    ] as const)
      expect(decideFreeHold(order, known, undefined)).toMatchObject({
        ...{ answer: "balanceShort", posting: { points: -order.points, valid: false } },
      });
  });

  test.each([0, -1, 0.5, Number.NaN, 2 ** 53])("of %p points is none", (points) => {
    expect(decideFreeHold(hold(points), totals(1_000), undefined)).toEqual({ answer: "invalidParam" });
  });

  test("with a used id writes nothing; with other content it is a conflict", () => {
    const prior = { anchorId: "7", points: -100, valid: true };
    expect(decideFreeHold(hold(100), totals(0), prior)).toEqual({ answer: "held" });
    // A refusal stays one, however much is free by then.
    expect(decideFreeHold(hold(100), totals(1_000), { ...prior, valid: false })).toEqual({ answer: "balanceShort" });
    expect(decideFreeHold(hold(101), totals(1_000), prior)).toEqual({ answer: "idempotencyConflict" });
    expect(decideFreeHold(hold(100, "h-1", "8"), totals(1_000), prior)).toEqual({ answer: "idempotencyConflict" });
  });

  test("never makes the free income negative, however many are asked for", () => {
    const points = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(fc.array(points, { maxLength: 20 }), (all) => {
        let now = totals(1_000);
        for (const [at, one] of all.entries()) {
          const { posting } = decideFreeHold(hold(one, `h-${at}`), now, undefined);
          if (posting?.valid) now = totals(1_000, now.heldBackPoints - posting.points);
          expect(freePoints(now)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
