import fc from "fast-check";
import { debtPaymentId, refundId } from "../../../services/wallet/business-ids.ts";
import { type DebtEntry, debtHistory, paidOffBefore } from "../../../services/wallet/debts.ts";

describe("the history of a debt", () => {
  test("has the change of each row, the debt after it and its refunded orders", () => {
    const { changes, owing } = debtHistory([
      { bizId: refundId("a"), num: 70 },
      { bizId: refundId("b"), num: 30 },
      { bizId: debtPaymentId("c"), num: -80 },
    ]);
    expect(changes.get("refund:a")).toEqual({ change: 70, after: 70, orders: [{ orderId: "a", coins: 70 }] });
    expect(changes.get("refund:b")).toEqual({ change: 30, after: 100, orders: [{ orderId: "b", coins: 30 }] });
    expect(changes.get("debt:c")).toEqual({
      ...{ change: -80, after: 20 },
      orders: [
        { orderId: "a", coins: 70 },
        { orderId: "b", coins: 10 },
      ],
    });
    expect([...owing]).toEqual([["b", 20]]);
  });

  test("has what was paid off before a refund, by order, without later payments", () => {
    const { changes } = debtHistory([
      { bizId: refundId("a"), num: 70 },
      { bizId: debtPaymentId("b"), num: -30 },
      { bizId: debtPaymentId("c"), num: -10 },
      { bizId: refundId("d"), num: 5 },
      { bizId: debtPaymentId("e"), num: -20 },
    ]);
    expect(paidOffBefore(changes, "refund:a")).toEqual([]);
    expect(paidOffBefore(changes, "refund:d")).toEqual([{ orderId: "a", coins: 40 }]);
  });

  test("a payment pays the oldest debt first, no debt is paid twice, and the rest adds up to the debt", () => {
    const coins = fc.integer({ min: 1, max: 50 });
    const entries = fc.array(fc.tuple(fc.boolean(), coins), { maxLength: 20 }).map((steps) => {
      let debt = 0;
      return steps.flatMap<DebtEntry>(([refund, num], at) => {
        const change = refund ? num : -Math.min(num, debt);
        debt += change;
        return change === 0 ? [] : [{ bizId: refund ? refundId(`o${at}`) : debtPaymentId(`o${at}`), num: change }];
      });
    });
    fc.assert(
      fc.property(entries, (rows) => {
        const { changes, owing } = debtHistory(rows);
        const paid = new Map<string, number>();
        let after = 0;
        for (const { bizId, num } of rows) {
          after += num;
          const change = changes.get(bizId);
          expect(change).toMatchObject({ change: num, after });
          expect(change?.orders.reduce((sum, order) => sum + order.coins, 0)).toBe(Math.abs(num));
          if (num < 0)
            for (const order of change?.orders ?? [])
              paid.set(order.orderId, (paid.get(order.orderId) ?? 0) + order.coins);
        }
        const refunds = rows.filter(({ num }) => num > 0);
        const left = refunds.map(({ bizId, num }) => num - (paid.get(bizId.slice("refund:".length)) ?? 0));
        expect(left.every((coins) => coins >= 0)).toBe(true);
        expect([...owing.values()]).toEqual(left.filter((coins) => coins > 0));
        // While a debt is not paid in full, no later one is paid at all.
        const open = left.findIndex((coins) => coins > 0);
        if (open >= 0) expect(left.slice(open + 1)).toEqual(refunds.slice(open + 1).map(({ num }) => num));
      }),
    );
  });
});
