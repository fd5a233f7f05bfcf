import { RowBudget } from "../../../services/payment/row-budget.ts";

test("a budget is for a minute, and a new one follows, also after the clock was put back", () => {
  const budget = new RowBudget(2);
  const at = 1_000_000;
  expect([at, at + 1, at + 2, at + 59_999].map((now) => budget.take(now))).toEqual([true, true, false, false]);
  expect(budget.take(at + 60_000)).toBe(true);
  expect(budget.take(at - 60_000)).toBe(true);
});
