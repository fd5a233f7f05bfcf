import type { Transaction } from "../../mixins/mysql/database.ts";
import type { PaymentDesk } from "./desk.ts";
import { sendWatched } from "./janitor/lost-messages.ts";
import { isTopic, paidEvent, refundedEvent, refundMessage, topicMessage } from "./messages.ts";
import type { NoticeVerdict } from "./notice-record.ts";
import type { Order } from "./order.ts";
import { lockOrder, moveOrder, topicOf, unparkOrder } from "./payment-store.ts";
import type { VerifiedNotice } from "./providers/provider.ts";
import { refundedFirst } from "./reconciliation/reconcile-store.ts";
import type { RefundOrigin } from "./refunds/refund-state.ts";
import { insertRefund, moveRefund } from "./refunds/refund-store.ts";

/**
 * What a genuine notice, whose amount is the order's, does to the order: the change of state and its messages, within
 * the transaction.
 */
export async function settle(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  switch (notice.says) {
    case "paid":
      return settlePaid(desk, tx, notice, order, requestId);
    case "cancelled":
      return settleCancelled(tx, order);
    case "refunded":
      return settleRefunded(desk, tx, notice, order, requestId);
    case "refundFailed":
      return settleRefundFailed(tx, order);
    case "other":
      return { outcome: "ignored", reason: "a state that changes nothing here" };
  }
}

async function settlePaid(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const { orderId, bizCode } = order;
  const details = { pay_time: notice.time, transaction_id: notice.transactionId };
  if (!(await moveOrder(tx, orderId, "paid", details))) return alreadyOver(tx, notice);
  desk.steps.afterStateChange?.(orderId);
  await desk.outbox.add(tx, { ...paidEvent(order, notice.time), requestId });
  if (await announce(desk, tx, order, notice.time, requestId)) return { outcome: "applied", reason: "paid" };
  return { outcome: "parked", reason: `paid, but biz code ${bizCode} has no usable topic`, parked: "topicMissing" };
}

/** A payment of an order that is not open any more: a repeat, or money without an order. */
async function alreadyOver(tx: Transaction, notice: VerifiedNotice): Promise<NoticeVerdict> {
  const order = await lockOrder(tx, notice.orderId);
  if (order?.state !== "paid" && order?.state !== "refunded")
    return { outcome: "parked", reason: `paid, but the order is ${order?.state}`, parked: "paidWhenClosed" };
  if (order.transactionId === notice.transactionId) return { outcome: "repeated", reason: "paid before" };
  return { outcome: "parked", reason: `paid again, first by ${order.transactionId}`, parked: "paidTwice" };
}

async function settleCancelled(tx: Transaction, { orderId }: Order): Promise<NoticeVerdict> {
  if (await moveOrder(tx, orderId, "cancelled")) return { outcome: "applied", reason: "cancelled" };
  const now = await lockOrder(tx, orderId);
  if (now?.state === "cancelled") return { outcome: "repeated", reason: "cancelled before" };
  return { outcome: "ignored", reason: `cancelled, but the order is ${now?.state}` };
}

/** Money went back: one that we asked for, or one that the provider gave back by itself or for its cashier. */
async function settleRefunded(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  { orderId }: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const order = await lockOrder(tx, orderId);
  if (order?.transactionId && order.transactionId !== notice.transactionId) {
    if (order.parked !== "paidTwice") return { outcome: "ignored", reason: "a refund of a payment that paid nothing" };
    await unparkOrder(tx, orderId);
    return { outcome: "applied", reason: "the second payment went back" };
  }
  if (notice.refundAmount !== notice.amount)
    return {
      outcome: "parked",
      reason: `${notice.refundAmount ?? "some"} fen of it went back`,
      parked: "refundPartial",
    };
  if (order?.state === "refunded") return moneyWentBack(tx, order);
  if (order?.state === "paid") {
    await refundWithin(desk, tx, order, { reason: "refunded at the provider", origin: "provider" }, requestId);
    return { outcome: "applied", reason: "refunded" };
  }
  if (order?.state === "cancelled" || order?.state === "invalid") {
    if (order.parked === "paidWhenClosed") await unparkOrder(tx, orderId);
    return { outcome: "applied", reason: `the money of an order that is ${order.state} went back` };
  }
  return paidAndRefunded(desk, tx, notice, requestId);
}

/** The refund that was asked for is done; an operator has nothing more to do about it, if one had. */
async function moneyWentBack(tx: Transaction, { orderId, parked }: Order): Promise<NoticeVerdict> {
  if (!(await moveRefund(tx, orderId, "done"))) return { outcome: "repeated", reason: "refunded before" };
  if (parked === "refundFailed") await unparkOrder(tx, orderId);
  return { outcome: "applied", reason: "the money went back" };
}

/** The coins were taken back, and the money was not given: somebody has to. */
async function settleRefundFailed(tx: Transaction, { orderId }: Order): Promise<NoticeVerdict> {
  if (!(await moveRefund(tx, orderId, "failed")))
    return { outcome: "ignored", reason: "a refund failed that is not one of ours, or is over" };
  return { outcome: "parked", reason: "the provider could not give the money back", parked: "refundFailed" };
}

/** A refund that is heard of before its payment: the order passes through both states, and no coins move. */
async function paidAndRefunded(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const details = { pay_time: notice.time, transaction_id: notice.transactionId, parked: "topicMissing" as const };
  await moveOrder(tx, notice.orderId, "paid", details);
  const order = await lockOrder(tx, notice.orderId);
  if (!order) return { outcome: "ignored", reason: "the order is gone" };
  await desk.outbox.add(tx, { ...paidEvent(order, notice.time), requestId });
  const why = { reason: refundedFirst, origin: "provider" } as const;
  await refundWithin(desk, tx, order, why, requestId);
  await unparkOrder(tx, notice.orderId);
  return { outcome: "applied", reason: "refunded before the payment was heard of: nothing was credited" };
}

/**
 * Moves a paid order to refunded and takes its coins back, within the transaction; whether its state allowed that. What
 * an operator refunds is given back by the provider afterwards. An order that was never credited, since its topic was
 * missing, has no coins to take back.
 */
export async function refundWithin(
  desk: PaymentDesk,
  tx: Transaction,
  order: Order,
  { reason, origin }: { reason: string; origin: RefundOrigin },
  requestId: string | null,
): Promise<boolean> {
  const time = new Date();
  if (!(await moveOrder(tx, order.orderId, "refunded", { refund_time: time, refund_reason: reason }))) return false;
  desk.steps.afterStateChange?.(order.orderId);
  await insertRefund(tx, order, origin, reason);
  if (order.parked !== "topicMissing")
    await sendWatched(desk, tx, { ...refundMessage(order, reason, time), requestId });
  await desk.outbox.add(tx, { ...refundedEvent(order, reason, time), requestId });
  return true;
}

/** Writes the message to the topic of the order's biz code; `false` where there is no usable one. */
export async function announce(
  desk: PaymentDesk,
  tx: Transaction,
  order: Order,
  payTime: Date,
  requestId: string | null,
): Promise<boolean> {
  const topic = await topicOf(tx, order.bizCode);
  if (topic === null || !isTopic(topic)) return false;
  await sendWatched(desk, tx, { ...topicMessage(topic, order, payTime), requestId });
  return true;
}
