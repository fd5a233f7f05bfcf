import type { OrderState } from "../order-state.ts";
import type { BillLine, Difference } from "../payment.contract.ts";
import type { RefundState } from "../refunds/refund-state.ts";

/** The refund of an order, as far as a day's comparison needs it. */
export interface ComparedRefund {
  readonly state: RefundState;
  /** Fen. */
  readonly amount: number;
  /** The provider accepted it so long ago that the bills up to this day must have it, and no bill before. */
  readonly isExpected: boolean;
  /** It was made before the end of the day: the wallet has taken its coins back by now. */
  readonly isMade: boolean;
}

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
  /** Refunded before it was credited: it has no credit, and no coins to take back. */
  readonly neverCredited: boolean;
  readonly refund: ComparedRefund | null;
}

/** What the wallet has in its books for an order. */
export interface BookedCoins {
  readonly orderId: string;
  /** Credited; or taken back and recorded as a debt. */
  readonly coins: number;
}

/** A day of one channel, with what the other books have about its orders. */
export interface ChannelDay {
  readonly bill: readonly BillLine[];
  /** The orders of the day and of the bill, by id. */
  readonly orders: ReadonlyMap<string, ComparedOrder>;
  /** The refunds of these orders in the bills of other days. */
  readonly refundsOfOtherDays: readonly Pick<BillLine, "orderId" | "transactionId" | "amount" | "refundId">[];
  readonly credits: ReadonlyMap<string, BookedCoins>;
  readonly taken: ReadonlyMap<string, BookedCoins>;
}

const wasPaid = ({ state }: ComparedOrder) => state === "paid" || state === "refunded";

/** A difference about an order, or a line of a bill. */
function differs(
  { orderId, transactionId }: Pick<Difference, "orderId" | "transactionId">,
  kind: Difference["kind"],
  detail: string,
): Difference {
  return { kind, orderId, transactionId, detail };
}

function paymentDifference(line: BillLine, order: ComparedOrder | undefined, times: number): Difference | null {
  const { transactionId, amount } = line;
  if (!order) return differs(line, "unknown", `paid ${amount} fen, no such order`);
  if (!wasPaid(order)) return differs(line, "unknown", `paid ${amount} fen, the order is ${order.state}`);
  if (order.transactionId !== transactionId) return differs(line, "unknown", `paid a second time, ${amount} fen`);
  if (order.amount !== amount) return differs(line, "amountDiffers", `${amount} fen in the bill, ${order.amount} here`);
  if (times > 1) return differs(line, "amountDiffers", `the payment is in the bill ${times} times`);
  return null;
}

function creditDifference(order: ComparedOrder, credit: BookedCoins | undefined): Difference | null {
  if (!wasPaid(order)) return null;
  if (order.neverCredited)
    return credit ? differs(order, "refundNotTaken", `${credit.coins} coins of a refund that took none back`) : null;
  if (!credit) return differs(order, "paidNotCredited", `${order.coins} coins are missing`);
  if (credit.coins === order.coins) return null;
  return differs(order, "amountDiffers", `${credit.coins} coins credited instead of ${order.coins}`);
}

function takenDifference(order: ComparedOrder, taken: BookedCoins | undefined): Difference | null {
  if (order.state !== "refunded" || order.neverCredited || !order.refund?.isMade) return null;
  if (!taken) return differs(order, "refundNotTaken", `${order.coins} coins were not taken back`);
  if (taken.coins === order.coins) return null;
  return differs(order, "refundNotTaken", `${taken.coins} coins taken back or owed instead of ${order.coins}`);
}

/**
 * The refund of an order here beside its refunds in the bills, which may be several parts of it. Refunds of another
 * payment of the order are not its refund.
 */
function refundDifference(order: ComparedOrder, day: ChannelDay): Difference | null {
  const ofOrder = (line: { orderId: string; transactionId: string }) =>
    line.orderId === order.orderId && line.transactionId === order.transactionId;
  const today = day.bill.filter((line) => line.kind === "refunded" && ofOrder(line));
  const isExpected = order.refund?.isExpected === true;
  if (today.length === 0 && !isExpected) return null;
  const inBills = [...day.refundsOfOtherDays.filter(ofOrder), ...today];
  const sum = inBills.reduce((total, { amount }) => total + amount, 0);
  const ids = inBills.map(({ refundId }) => refundId).filter(Boolean);
  const bills = `${sum} fen refunded by the bills${ids.length > 0 ? ` (${ids.join(", ")})` : ""}`;
  if (order.state !== "refunded" || !order.refund)
    return differs(order, "refundUnknown", `${bills}, the order of ${order.amount} fen is ${order.state}`);
  const { amount } = order.refund;
  if (inBills.length === 0) return differs(order, "refundNotInBill", `${amount} fen refunded here`);
  if (sum > amount) return differs(order, "refundTwice", `${bills}, ${amount} here`);
  return sum < amount ? differs(order, "refundDiffers", `${bills}, ${amount} here`) : null;
}

/** Of equal differences one is left: a row of t_pay_difference. */
export function distinct(differences: readonly Difference[]): Difference[] {
  const keyOf = ({ kind, orderId, transactionId, detail }: Difference) =>
    JSON.stringify([kind, orderId, transactionId, detail]);
  return [...new Map(differences.map((difference) => [keyOf(difference), difference])).values()];
}

/** The differences between a channel's bill of a day, the orders, their refunds, and the wallet's books. */
export function compareDay(day: ChannelDay): Difference[] {
  const { bill, orders, credits, taken } = day;
  const all = [...orders.values()];
  const paid = bill.filter(({ kind }) => kind === "paid");
  const paidTimes = Map.groupBy(paid, ({ transactionId }) => transactionId);
  const strayRefunds = bill.filter(({ kind, orderId }) => kind === "refunded" && !orders.has(orderId));
  const missing = all.filter(({ ofTheDay, transactionId }) => {
    return ofTheDay && (transactionId === null || !paidTimes.has(transactionId));
  });
  return distinct(
    [
      ...paid.map((line) =>
        paymentDifference(line, orders.get(line.orderId), paidTimes.get(line.transactionId)?.length ?? 0),
      ),
      ...strayRefunds.map((line) => differs(line, "refundUnknown", `refunded ${line.amount} fen, no such order`)),
      ...missing.filter(wasPaid).map((order) => differs(order, "notInBill", `${order.amount} fen paid here`)),
      ...refundedOrders(day).map((order) => refundDifference(order, day)),
      ...all.map((order) => creditDifference(order, credits.get(order.orderId))),
      ...all.map((order) => takenDifference(order, taken.get(order.orderId))),
    ].filter((difference) => difference !== null),
  );
}

/** The orders with a refund in the bill, or one that is expected in the bills. */
function refundedOrders({ bill, orders }: ChannelDay): ComparedOrder[] {
  const inBill = new Set(bill.filter(({ kind }) => kind === "refunded").map(({ orderId }) => orderId));
  return [...orders.values()].filter(({ orderId, refund }) => inBill.has(orderId) || refund?.isExpected);
}

/** Credits of the wallet without a paid order, or whose order names no payment. */
export function creditsWithoutPayment(
  credits: readonly BookedCoins[],
  orders: ReadonlyMap<string, Pick<ComparedOrder, "state" | "transactionId">>,
): Difference[] {
  return credits.flatMap(({ orderId, coins }) => {
    const { state, transactionId = null } = orders.get(orderId) ?? {};
    const isPaid = state === "paid" || state === "refunded";
    if (isPaid && transactionId !== null) return [];
    const why = isPaid ? "the order names no payment" : state && `the order is ${state}`;
    const detail = `${coins} coins, ${why ?? "no such order"}`;
    return [{ kind: "creditedNotPaid" as const, orderId, transactionId: null, detail }];
  });
}

/** Coins that the wallet took back without the refund of a credited order. */
export function takenWithoutRefund(
  taken: readonly BookedCoins[],
  orders: ReadonlyMap<string, Pick<ComparedOrder, "state" | "neverCredited">>,
): Difference[] {
  return taken.flatMap(({ orderId, coins }) => {
    const order = orders.get(orderId);
    if (order?.state === "refunded" && !order.neverCredited) return [];
    const why = order?.neverCredited ? "the order was never credited" : order && `the order is ${order.state}`;
    const detail = `${coins} coins taken back or owed, ${why ?? "no such order"}`;
    return [{ kind: "takenNotRefunded" as const, orderId, transactionId: null, detail }];
  });
}
