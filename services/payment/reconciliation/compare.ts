import type { OrderState } from "../order-state.ts";
import type { BillLine, Difference } from "../payment.contract.ts";

/** The part of an order that a day's comparison needs. */
export interface ComparedOrder {
  readonly orderId: string;
  readonly state: OrderState;
  readonly transactionId: string | null;
  /** Fen. */
  readonly amount: number;
  readonly coins: number;
  /** Paid on the compared day. */
  readonly ofTheDay: boolean;
  /** Refunded before it was credited: it has no credit, and needs none. */
  readonly neverCredited: boolean;
}

/** A credit of the wallet for an order. */
export interface Credit {
  readonly orderId: string;
  readonly coins: number;
}

const wasPaid = ({ state }: ComparedOrder) => state === "paid" || state === "refunded";

function billDifference(line: BillLine, order: ComparedOrder | undefined): Difference | null {
  const { orderId, transactionId, amount } = line;
  const difference = (kind: Difference["kind"], detail: string) => ({ kind, orderId, transactionId, detail });
  if (!order) return difference("unknown", `${line.kind} ${amount} fen, no such order`);
  if (line.kind === "refunded" && order.transactionId === transactionId && order.state !== "refunded")
    return difference("unknown", `refunded ${amount} fen, the order is ${order.state}`);
  if (line.kind === "refunded") return null;
  if (!wasPaid(order)) return difference("unknown", `paid ${amount} fen, the order is ${order.state}`);
  if (order.transactionId !== transactionId) return difference("unknown", `paid a second time, ${amount} fen`);
  if (order.amount !== amount) return difference("amountDiffers", `${amount} fen in the bill, ${order.amount} here`);
  return null;
}

function creditDifference(order: ComparedOrder, credit: Credit | undefined): Difference | null {
  if (!wasPaid(order) || order.neverCredited) return null;
  const { orderId, transactionId } = order;
  if (!credit) return { kind: "paidNotCredited", orderId, transactionId, detail: `${order.coins} coins are missing` };
  if (credit.coins === order.coins) return null;
  const detail = `${credit.coins} coins credited instead of ${order.coins}`;
  return { kind: "amountDiffers", orderId, transactionId, detail };
}

/**
 * The differences between a channel's bill of a day, the orders and their credits. `orders` has those of the day and of
 * the bill.
 */
export function compareDay(
  bill: readonly BillLine[],
  orders: ReadonlyMap<string, ComparedOrder>,
  credits: ReadonlyMap<string, Credit>,
): Difference[] {
  const paidInBill = new Set(bill.filter(({ kind }) => kind === "paid").map(({ transactionId }) => transactionId));
  const ofTheDay = [...orders.values()].filter((order) => order.ofTheDay && wasPaid(order));
  const missing = ofTheDay
    .filter(({ transactionId }) => transactionId === null || !paidInBill.has(transactionId))
    .map(({ orderId, transactionId, amount }): Difference => {
      return { kind: "notInBill", orderId, transactionId, detail: `${amount} fen paid here` };
    });
  return [
    ...bill.map((line) => billDifference(line, orders.get(line.orderId))),
    ...missing,
    ...[...orders.values()].map((order) => creditDifference(order, credits.get(order.orderId))),
  ].filter((difference) => difference !== null);
}

/** Credits of the wallet without a paid order. */
export function creditsWithoutPayment(
  credits: readonly Credit[],
  orders: ReadonlyMap<string, Pick<ComparedOrder, "state">>,
): Difference[] {
  return credits.flatMap(({ orderId, coins }) => {
    const state = orders.get(orderId)?.state;
    if (state === "paid" || state === "refunded") return [];
    const detail = `${coins} coins, ${state ? `the order is ${state}` : "no such order"}`;
    return [{ kind: "creditedNotPaid" as const, orderId, transactionId: null, detail }];
  });
}
