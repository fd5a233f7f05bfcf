import type { OutboxMessage } from "../../mixins/outbox.mixin.ts";
import type { PaymentTopics } from "../contracts.ts";
import { durableEvent } from "../durable-event.ts";
import { rechargeBizCode } from "../first-catalogue.ts";
import type { Order } from "./order.ts";

/**
 * The topics of stream PAY, for JavaScript and for MySQL. A message with another subject could never be published and
 * would block the outbox.
 */
export const topicPattern = "^pay[.][a-z0-9_-]{1,60}$";

export function isTopic(topic: string): boolean {
  return new RegExp(topicPattern).test(topic);
}

/**
 * Whether the messages of a biz code's paid orders may have this topic. `pay.refund` takes coins back, so no paid order
 * may have it. A recharge must have the topic that credits coins: with another one nobody would.
 */
export function fitsBizCode(topic: string, bizCode: number): boolean {
  if (bizCode === rechargeBizCode) return topic === "pay.recharge";
  return isTopic(topic) && effectOf(topic) !== "refund";
}

/** The effect of a message on the wallet's books. */
export type Effect = "credit" | "refund";
export const effects: readonly Effect[] = ["credit", "refund"];

/** The effect of a subject on the wallet's books; `null` where its messages are not for the wallet. */
export function effectOf(subject: string): Effect | null {
  if (subject === "pay.recharge") return "credit";
  return subject === "pay.refund" ? "refund" : null;
}

/** The message of a paid order to the topic of its biz code: for `pay.recharge`, to credit the coins. */
export function topicMessage(topic: string, order: Order, payTime: Date): OutboxMessage {
  const { orderId, userId, coins, amount, bizCode, productId, source, payChannel, transactionId } = order;
  const payload: PaymentTopics["pay.recharge"] = {
    ...{ orderId, userId, coins, amount, bizCode, productId, source, payChannel },
    ...(transactionId ? { transactionId } : {}),
    time: payTime.toISOString(),
  };
  return { subject: topic, msgId: `${topic}:${orderId}`, payload, orderKey: orderId };
}

export function paidEvent(order: Order, payTime: Date): OutboxMessage {
  const { orderId, userId, productId, amount, coins, bizCode } = order;
  const data = { orderId, userId, productId, amount, coins, bizCode, time: payTime.toISOString() };
  return { ...durableEvent("payment.paid", orderId, data, payTime), orderKey: orderId };
}

/** The message that takes back the coins of a credited order. */
export function refundMessage({ orderId, userId, coins, amount }: Order, reason: string, time: Date): OutboxMessage {
  const payload: PaymentTopics["pay.refund"] = { orderId, userId, coins, amount, reason, time: time.toISOString() };
  return { subject: "pay.refund", msgId: `pay.refund:${orderId}`, payload, orderKey: orderId };
}

export function refundedEvent({ orderId, userId, coins, amount }: Order, reason: string, time: Date): OutboxMessage {
  const data = { orderId, userId, amount, coins, reason, time: time.toISOString() };
  return { ...durableEvent("payment.refunded", orderId, data, time), orderKey: orderId };
}
