import { payOrderOf } from "./business-ids.ts";

/** A row of t_wallet_debt: above zero what a refund could not take back, below zero what a recharge paid off. */
export interface DebtEntry {
  bizId: string;
  num: number;
}

/** The effect of one row on a user's debt. */
export interface DebtChange {
  change: number;
  /** The whole debt after it. */
  after: number;
  /** The refunded orders whose debt it is, or was. */
  orders: { orderId: string; coins: number }[];
}

/**
 * Replays a user's debt rows, oldest first: a payment pays the oldest debt off first. `owing` has the coins that are
 * still owed for each refunded order; paid-off orders are left out.
 */
export function debtHistory(entries: readonly DebtEntry[]): {
  changes: Map<string, DebtChange>;
  owing: Map<string, number>;
} {
  const changes = new Map<string, DebtChange>();
  const owing = new Map<string, number>();
  let after = 0;
  for (const { bizId, num } of entries) {
    after += num;
    const orders = num > 0 ? [{ orderId: payOrderOf(bizId), coins: num }] : payOff(owing, -num);
    if (num > 0) owing.set(payOrderOf(bizId), num);
    changes.set(bizId, { change: num, after, orders });
  }
  return { changes, owing };
}

/** Pays debts off, oldest first: a Map keeps the order of insertion. */
function payOff(owing: Map<string, number>, payment: number): DebtChange["orders"] {
  const paid: DebtChange["orders"] = [];
  let left = payment;
  for (const [orderId, debt] of owing) {
    if (left === 0) break;
    const coins = Math.min(debt, left);
    left -= coins;
    paid.push({ orderId, coins });
    if (coins === debt) owing.delete(orderId);
    else owing.set(orderId, debt - coins);
  }
  return paid;
}

/** What was paid off of earlier debts before a refund left its own, by refunded order. */
export function paidOffBefore(changes: ReadonlyMap<string, DebtChange>, refundBizId: string): DebtChange["orders"] {
  const paid = new Map<string, number>();
  for (const [bizId, { change, orders }] of changes) {
    if (bizId === refundBizId) break;
    if (change < 0) for (const { orderId, coins } of orders) paid.set(orderId, (paid.get(orderId) ?? 0) + coins);
  }
  return [...paid].map(([orderId, coins]) => ({ orderId, coins }));
}
