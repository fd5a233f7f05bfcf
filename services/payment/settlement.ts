import type { Transaction } from "../../mixins/mysql/database.ts";
import type { PaymentDesk } from "./desk.ts";
import { sendWatched } from "./janitor/lost-messages.ts";
import { isTopic, paidEvent, refundedEvent, refundMessage, topicMessage } from "./messages.ts";
import type { NoticeVerdict } from "./notice-record.ts";
import { moneyGone, type Order, uncredited } from "./order.ts";
import { isOpen } from "./order-state.ts";
import { isParked, parkOrder, unparkOrder } from "./parked-store.ts";
import { lockOrder, moveOrder, topicOf } from "./payment-store.ts";
import type { VerifiedNotice } from "./providers/provider.ts";
import type { RefundOrigin } from "./refunds/refund-state.ts";
import { insertRefund, moveRefund } from "./refunds/refund-store.ts";

/**
 * What a genuine notice, whose amount is the order's, does to the order: the change of state and its messages, within
 * the transaction, which holds the order.
 */
export async function settle(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const order = await lockOrder(tx, notice.orderId);
  if (!order) return { outcome: "ignored", reason: "the order is gone" };
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
  if (!isOpen(order.state)) return alreadyOver(notice, order);
  await payWithin(desk, tx, notice, order, requestId);
  // The payment is genuine, and money of it is known to have gone back: not to be credited without anybody's look.
  if (await isParked(tx, orderId, moneyGone)) return held;
  if (await announce(desk, tx, order, notice.time, requestId)) return { outcome: "applied", reason: "paid" };
  return { outcome: "parked", reason: `paid, but biz code ${bizCode} has no usable topic`, parked: "topicMissing" };
}

const held: NoticeVerdict = {
  outcome: "parked",
  reason: "paid, and money of it went back: not credited",
  parked: "creditHeld",
};

/** An open order is paid, and its event says so; whether it is credited is the caller's to decide. */
async function payWithin(
  desk: PaymentDesk,
  tx: Transaction,
  { transactionId, time }: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<void> {
  await moveOrder(tx, order.orderId, "paid", { pay_time: time, transaction_id: transactionId });
  desk.steps.afterStateChange?.(order.orderId);
  await desk.outbox.add(tx, { ...paidEvent(order, time), requestId });
}

/** A payment of an order that is not open any more: a repeat, or money without an order. */
function alreadyOver(notice: VerifiedNotice, { state, transactionId }: Order): NoticeVerdict {
  if (state !== "paid" && state !== "refunded")
    return { outcome: "parked", reason: `paid, but the order is ${state}`, parked: "paidWhenClosed" };
  if (transactionId === notice.transactionId) return { outcome: "repeated", reason: "paid before" };
  return { outcome: "parked", reason: `paid again, first by ${transactionId}`, parked: "paidTwice" };
}

async function settleCancelled(tx: Transaction, { orderId, state }: Order): Promise<NoticeVerdict> {
  if (await moveOrder(tx, orderId, "cancelled")) return { outcome: "applied", reason: "cancelled" };
  if (state === "cancelled") return { outcome: "repeated", reason: "cancelled before" };
  return { outcome: "ignored", reason: `cancelled, but the order is ${state}` };
}

/** Money went back: one that we asked for, or one that the provider gave back by itself or for its cashier. */
async function settleRefunded(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  const { orderId, state } = order;
  const { transactionId } = notice;
  const isSecond = order.transactionId !== null && order.transactionId !== transactionId;
  if (isSecond && !(await isParked(tx, orderId, ["paidTwice"], transactionId)))
    return { outcome: "ignored", reason: "a refund of a payment that paid nothing" };
  if (notice.refundAmount !== notice.amount) return settlePartOf(desk, tx, notice, order, requestId);
  await unparkOrder(tx, orderId, moneyGone, transactionId);
  if (isSecond) {
    await unparkOrder(tx, orderId, ["paidTwice"], transactionId);
    return { outcome: "applied", reason: "the second payment went back" };
  }
  if (state === "refunded") return moneyWentBack(tx, order);
  if (state === "paid") {
    await refundWithin(desk, tx, order, { reason: "refunded at the provider", origin: "provider" }, requestId);
    return { outcome: "applied", reason: "refunded" };
  }
  if (isOpen(state)) return paidAndRefunded(desk, tx, notice, order, requestId);
  await unparkOrder(tx, orderId, ["paidWhenClosed"], transactionId);
  return { outcome: "applied", reason: `the money of an order that is ${state} went back` };
}

/** A part went back, which moves nothing, or nobody knows how much: an order that is open then is paid for certain. */
async function settlePartOf(
  desk: PaymentDesk,
  tx: Transaction,
  notice: VerifiedNotice,
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  if (notice.refundAmount !== undefined) {
    await unparkOrder(tx, order.orderId, ["refundUnclear"], notice.transactionId);
    return { outcome: "parked", reason: `${notice.refundAmount} fen of it went back`, parked: "refundPartial" };
  }
  if (order.state === "refunded") return { outcome: "ignored", reason: "money of a refunded order went back" };
  if (!isOpen(order.state))
    return { outcome: "parked", reason: "money of it went back, not said how much", parked: "refundUnclear" };
  await payWithin(desk, tx, notice, order, requestId);
  return held;
}

/** The refund that was asked for is done; an operator has nothing more to do about it, if one had. */
async function moneyWentBack(tx: Transaction, { orderId }: Order): Promise<NoticeVerdict> {
  if (!(await moveRefund(tx, orderId, "done"))) return { outcome: "repeated", reason: "refunded before" };
  await unparkOrder(tx, orderId, ["refundFailed"]);
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
  order: Order,
  requestId: string | null,
): Promise<NoticeVerdict> {
  await payWithin(desk, tx, notice, order, requestId);
  await parkOrder(tx, order.orderId, "creditHeld", notice.transactionId);
  const paid = { ...order, state: "paid", transactionId: notice.transactionId, payTime: notice.time } as const;
  const why = { reason: "refunded at the provider before it was credited", origin: "provider" } as const;
  await refundWithin(desk, tx, paid, why, requestId);
  return { outcome: "applied", reason: "refunded before the payment was heard of: nothing was credited" };
}

/**
 * Moves a paid order to refunded and takes its coins back, within the transaction; whether its state allowed that. What
 * an operator refunds is given back by the provider afterwards. An order that is not credited has no coins to take
 * back, and is marked as one that never was.
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
  if (await unparkOrder(tx, order.orderId, uncredited)) await parkOrder(tx, order.orderId, "neverCredited", "");
  else await sendWatched(desk, tx, { ...refundMessage(order, reason, time), requestId });
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
