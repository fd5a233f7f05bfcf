import type { Transaction } from "../../mixins/mysql/database.ts";
import { fitsBizCode, paidEvent, refundedEvent, refundMessage, topicMessage } from "./messages.ts";
import { moneyGone, type Order, uncredited } from "./order.ts";
import { isOpen, mayMove } from "./order-state.ts";
import { isParked, parkOrder, unparkOrder } from "./parked-store.ts";
import type { PaymentContext } from "./payment-context.ts";
import { lockOrder, moveOrder, topicOf } from "./payment-store.ts";
import type { Outcome, ProviderReport } from "./providers/report.ts";
import type { RefundOrigin } from "./refunds/refund-state.ts";
import { insertRefund, moveRefund } from "./refunds/refund-store.ts";
import { sendWatched } from "./watches/send-watched.ts";

/** A report with its order, whose lock the transaction holds. */
interface Settling {
  readonly context: PaymentContext;
  readonly tx: Transaction;
  readonly report: ProviderReport;
  readonly order: Order;
  readonly requestId: string | null;
}

/**
 * Applies a report, whose amount is the order's, to the order: the change of state and its messages, within a
 * transaction that locks the order. By the report's status and the order's state (the moves are in order-state.ts and
 * refunds/refund-state.ts):
 *
 * - paid, an open order: paid and credited; parked as `topicMissing` without a topic; parked as `creditHeld` where the
 *   payment is known to be refunded, wholly or in part; parked as `creditChanged` where its terms were changed.
 * - paid, an order that is not open: repeated, or parked as `paidTwice` or `paidWhenClosed`.
 * - cancelled: an open order is cancelled; otherwise ignored.
 * - refunded as a whole: a paid order is refunded; an open one is paid and refunded, without a credit; a refund that was
 *   requested here is done; a second payment, or one of a closed order, loses its mark. Parked as `refundChanged`, and
 *   left as it is, where its row is not as payment wrote it.
 * - refunded in part, or by an unknown amount: parked as `refundPartial` or `refundUnclear`; an open order is also paid
 *   and parked as `creditHeld`.
 * - refundFailed: a refund that was requested here is failed, and parked as `refundFailed`.
 */
export async function settle(
  context: PaymentContext,
  tx: Transaction,
  report: ProviderReport,
  requestId: string | null,
): Promise<Outcome> {
  const order = await lockOrder(tx, report.orderId);
  if (!order) return { outcome: "ignored", reason: "the order is gone" };
  const settling = { context, tx, report, order, requestId };
  switch (report.status) {
    case "paid":
      return settlePaid(settling);
    case "cancelled":
      return settleCancelled(tx, order);
    case "refunded":
      return settleRefunded(settling);
    case "refundFailed":
      return settleRefundFailed(tx, order);
    case "other":
      return { outcome: "ignored", reason: "a state that changes nothing here" };
  }
}

async function settlePaid(settling: Settling): Promise<Outcome> {
  const { context, tx, report, order, requestId } = settling;
  const { orderId, bizCode } = order;
  if (!isOpen(order.state)) return settleLatePayment(report, order);
  const paid = await markPaid(settling);
  // The payment is genuine and was refunded, wholly or in part: a person must decide about its credit.
  if (await isParked(tx, orderId, moneyGone)) return held;
  const unsent = await sendCredit(context, tx, paid, requestId);
  if (!unsent) return { outcome: "applied", reason: "paid" };
  const reason = unsent === "topicMissing" ? `biz code ${bizCode} has no usable topic` : "its row was changed";
  return { outcome: "parked", reason: `paid, but ${reason}`, parked: unsent };
}

const held: Outcome = {
  outcome: "parked",
  reason: "paid, and money of it went back: not credited",
  parked: "creditHeld",
};

/**
 * Moves an open order to paid, with its event, and returns it. The caller decides whether it is credited. An order whose
 * terms were changed has no event: nobody is told of coins that nobody bought.
 */
async function markPaid({ context, tx, report, order, requestId }: Settling): Promise<Order> {
  const { transactionId, time, amount } = report;
  const paid = { ...order, state: "paid", transactionId, payTime: time } as const;
  // The amount that was paid, which the report was compared with before the order was locked.
  const paidMac = context.macs.ofPayment({ ...paid, amount });
  await moveOrder(tx, order.orderId, "paid", { pay_time: time, transaction_id: transactionId, paid_mac: paidMac });
  context.steps.afterStateChange?.(order.orderId);
  if (!context.macs.termsFault(order)) await context.outbox.add(tx, { ...paidEvent(order, time), requestId });
  return { ...paid, paidMac };
}

/** A payment of an order that is not open: a repeat, or money that the order cannot accept. */
function settleLatePayment(report: ProviderReport, { state, transactionId }: Order): Outcome {
  if (state !== "paid" && state !== "refunded")
    return { outcome: "parked", reason: `paid, but the order is ${state}`, parked: "paidWhenClosed" };
  if (transactionId === report.transactionId) return { outcome: "repeated", reason: "paid before" };
  return { outcome: "parked", reason: `paid again, first by ${transactionId}`, parked: "paidTwice" };
}

async function settleCancelled(tx: Transaction, { orderId, state }: Order): Promise<Outcome> {
  if (await moveOrder(tx, orderId, "cancelled")) return { outcome: "applied", reason: "cancelled" };
  if (state === "cancelled") return { outcome: "repeated", reason: "cancelled before" };
  return { outcome: "ignored", reason: `cancelled, but the order is ${state}` };
}

/** Money was refunded: by our request, or by the provider. */
async function settleRefunded(settling: Settling): Promise<Outcome> {
  const { context, tx, report, order, requestId } = settling;
  const { orderId, state } = order;
  const { transactionId } = report;
  const isSecond = order.transactionId !== null && order.transactionId !== transactionId;
  if (isSecond && !(await isParked(tx, orderId, ["paidTwice"], transactionId)))
    return { outcome: "ignored", reason: "a refund of a payment that paid nothing" };
  if (report.refundAmount !== report.amount) return settlePartialRefund(settling);
  await unparkOrder(tx, orderId, moneyGone, transactionId);
  if (isSecond) {
    await unparkOrder(tx, orderId, ["paidTwice"], transactionId);
    return { outcome: "applied", reason: "the second payment went back" };
  }
  if (state === "refunded") return settleDoneRefund(tx, order);
  if (state === "paid") {
    const why = { reason: "refunded at the provider", origin: "provider" } as const;
    if ((await markRefunded(context, tx, order, why, requestId)) !== "changed")
      return { outcome: "applied", reason: "refunded" };
    return { outcome: "parked", reason: "refunded, but its row was changed", parked: "refundChanged" };
  }
  if (isOpen(state)) return settleRefundBeforePayment(settling);
  await unparkOrder(tx, orderId, ["paidWhenClosed"], transactionId);
  return { outcome: "applied", reason: `the money of an order that is ${state} went back` };
}

/** A partial refund, or one of an unknown amount: no coins move. An open order was certainly paid. */
async function settlePartialRefund(settling: Settling): Promise<Outcome> {
  const { tx, report, order } = settling;
  if (report.refundAmount !== undefined) {
    await unparkOrder(tx, order.orderId, ["refundUnclear"], report.transactionId);
    return { outcome: "parked", reason: `${report.refundAmount} fen of it went back`, parked: "refundPartial" };
  }
  if (order.state === "refunded") return { outcome: "ignored", reason: "money of a refunded order went back" };
  if (!isOpen(order.state))
    return { outcome: "parked", reason: "money of it went back, not known how much", parked: "refundUnclear" };
  await markPaid(settling);
  return held;
}

/** The refund that an operator requested is done: nobody has to act any more. */
async function settleDoneRefund(tx: Transaction, { orderId }: Order): Promise<Outcome> {
  if (!(await moveRefund(tx, orderId, "done"))) return { outcome: "repeated", reason: "refunded before" };
  await unparkOrder(tx, orderId, ["refundFailed"]);
  return { outcome: "applied", reason: "the money went back" };
}

/** The coins were taken back, and the money was not refunded: a person must do it. */
async function settleRefundFailed(tx: Transaction, { orderId }: Order): Promise<Outcome> {
  if (!(await moveRefund(tx, orderId, "failed")))
    return { outcome: "ignored", reason: "a refund failed that is not one of ours, or is over" };
  return { outcome: "parked", reason: "the provider could not give the money back", parked: "refundFailed" };
}

/** A refund that is reported before its payment: the order passes through both states, and no coins move. */
async function settleRefundBeforePayment(settling: Settling): Promise<Outcome> {
  const { context, tx, report, order, requestId } = settling;
  const paid = await markPaid(settling);
  await parkOrder(tx, order.orderId, "creditHeld", report.transactionId);
  const why = { reason: "refunded at the provider before it was credited", origin: "provider" } as const;
  await markRefunded(context, tx, paid, why, requestId);
  return { outcome: "applied", reason: "refunded before the payment was reported: nothing was credited" };
}

/**
 * Moves a paid order to refunded and takes its coins back, within the transaction. After an operator's refund the
 * provider is asked for the money. An order without a credit has no coins to take back, and gets the mark neverCredited.
 * `notPaid`: the order's state does not allow it. `changed`: its row is not as payment wrote it, so that nobody knows
 * whose coins and which payment these are; nothing is done, and it is parked as refundChanged.
 */
export async function markRefunded(
  context: PaymentContext,
  tx: Transaction,
  order: Order,
  { reason, origin }: { reason: string; origin: RefundOrigin },
  requestId: string | null,
): Promise<"refunded" | "notPaid" | "changed"> {
  const { orderId } = order;
  const time = new Date();
  if (!mayMove(order.state, "refunded")) return "notPaid";
  const termsFault = context.macs.termsFault(order);
  const isUncredited = await isParked(tx, orderId, uncredited);
  // Without a credit only money goes back, by the payment that the provider reported.
  const fault = context.macs.paymentFault(order) ?? (isUncredited ? undefined : termsFault);
  if (fault) {
    logChanged(context, order, fault, "is not refunded, and no coins are taken back");
    await parkOrder(tx, orderId, "refundChanged", "");
    return "changed";
  }
  if (!(await moveOrder(tx, orderId, "refunded", { refund_time: time, refund_reason: reason }))) return "notPaid";
  context.steps.afterStateChange?.(orderId);
  await insertRefund(tx, order, origin, reason);
  await unparkOrder(tx, orderId, ["refundChanged"]);
  if (await unparkOrder(tx, orderId, uncredited)) await parkOrder(tx, orderId, "neverCredited", "");
  else await sendWatched(context, tx, { ...refundMessage(order, reason, time), requestId });
  if (!termsFault) await context.outbox.add(tx, { ...refundedEvent(order, reason, time), requestId });
  return "refunded";
}

/**
 * Writes the message that credits a paid order, to the topic of its biz code. Returns why it did not, for the mark of
 * the order: `topicMissing` without a usable topic; `creditChanged` where its row is not as payment wrote it. This is
 * the one way to a credit, and nothing passes it unchecked.
 */
export async function sendCredit(
  context: PaymentContext,
  tx: Transaction,
  order: Order,
  requestId: string | null,
): Promise<"topicMissing" | "creditChanged" | undefined> {
  const { payTime, bizCode } = order;
  const fault = context.macs.termsFault(order) ?? context.macs.paymentFault(order);
  if (fault || !payTime) {
    logChanged(context, order, fault ?? "payment: no time", "is not credited");
    return "creditChanged";
  }
  const topic = await topicOf(tx, bizCode);
  if (topic === null || !fitsBizCode(topic, bizCode)) return "topicMissing";
  await sendWatched(context, tx, { ...topicMessage(topic, order, payTime), requestId });
  return undefined;
}

function logChanged({ logger }: PaymentContext, order: Order, fault: string, what: string): void {
  const { orderId, userId, amount, coins } = order;
  logger.error(
    { orderId, userId, amount, coins, fault },
    `an order is not as payment wrote it, and ${what}: find out who writes to the orders of payment`,
  );
}
