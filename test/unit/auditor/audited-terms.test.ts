import { type AuditedCall, AuditedTerms } from "../../../services/auditor/checks/audited-terms.ts";

const graceMs = 10;
const first = { "6": { price: 30, status: 1 } };

/** A call that begins at a time and ends a millisecond later; its rows have ids by that time. */
function callAt(began: number, price: number, outcome: string | null = "succeeded", tookMs = 1): AuditedCall {
  const time = began + tookMs;
  const ended = outcome === null ? null : { id: time, time, outcome };
  return { id: began, subject: "6", sets: { price }, began, ended };
}

const pricesAt = (calls: readonly AuditedCall[], time: number) =>
  new AuditedTerms(first, calls, graceMs).shown("6", "price", time);

describe("the price of a product by the audit", () => {
  test("is the first one until an operator gives it another", () => {
    expect(pricesAt([], 0)).toBe("30");
    expect(pricesAt([callAt(1_000, 40)], 900)).toBe("30");
    expect(pricesAt([callAt(1_000, 40)], 1_100)).toBe("40");
  });

  test("may be the old or the new one from shortly before a change until shortly after it", () => {
    const calls = [callAt(1_000, 40)];
    expect(pricesAt(calls, 989)).toBe("30");
    expect(pricesAt(calls, 990)).toBe("30 or 40");
    expect(pricesAt(calls, 1_011)).toBe("30 or 40");
    expect(pricesAt(calls, 1_012)).toBe("40");
  });

  test("is not changed by a call that was refused", () => {
    expect(pricesAt([callAt(1_000, 40, "productUnknown")], 2_000)).toBe("30");
  });

  test.each([["unavailable"], ["fault"], [null]])(
    "may be either after a call with the outcome %s, until the next",
    (outcome) => {
      const calls = [callAt(1_000, 40, outcome), callAt(3_000, 50)];
      expect(pricesAt(calls, 2_000)).toBe("30 or 40");
      expect(pricesAt(calls, 4_000)).toBe("50");
    },
  );

  test("may be that of either of two calls at once, until the next", () => {
    const calls = [callAt(1_000, 40, "succeeded", 5), callAt(1_002, 50, "succeeded", 1), callAt(3_000, 60)];
    expect(pricesAt(calls, 2_000)).toBe("40 or 50");
    expect(pricesAt(calls, 4_000)).toBe("60");
  });

  test("that it had twice counts each time, and not in between", () => {
    const terms = new AuditedTerms(first, [callAt(1_000, 40), callAt(2_000, 30)], graceMs);
    expect([500, 1_500, 2_500].map((time) => terms.had("6", "price", 30, time))).toEqual([true, false, true]);
    expect(terms.had("6", "price", 30, 500, 2_500)).toBe(false);
  });

  test("is none of a product that nobody has made", () => {
    const terms = new AuditedTerms(first, [], graceMs);
    expect([terms.had("7", "price", 30, 0), terms.shown("7", "price", 0)]).toEqual([false, "none"]);
  });
});
