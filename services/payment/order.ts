import { v7 } from "uuid";
import type { OrderState } from "./order-state.ts";
import { orderStatus } from "./order-state.ts";
import type { PayOrder } from "./payment.contract.ts";

/**
 * Why somebody must look at an order: t_pay_parked.reason. Several may be true at once, and each goes by itself.
 * `topicMissing` and `creditHeld` also mean that a paid order is not credited.
 */
export const parkedReasons = [
  "topicMissing",
  "creditHeld",
  "paidWhenClosed",
  "paidTwice",
  "refundPartial",
  "refundUnclear",
  "refundFailed",
] as const;
export type Parked = (typeof parkedReasons)[number];

/** `neverCredited` is kept beside the reasons and is nothing to look at: a refunded order that has no coins to give back. */
export type Mark = Parked | "neverCredited";

/** Those that mean that the coins of a paid order are not on their way. */
export const uncredited = ["topicMissing", "creditHeld"] as const satisfies Parked[];

/** Those that mean that money of a payment went back, and no coins with it. */
export const moneyGone = ["refundPartial", "refundUnclear"] as const satisfies Parked[];

/** Those of which each payment of an order has its own; the others are the order's. */
const ofPayments: readonly Mark[] = ["paidWhenClosed", "paidTwice", ...moneyGone];

/** The payment that a mark names: `""` where it is about the order. */
export function markedPayment(mark: Mark, transactionId: string): string {
  return ofPayments.includes(mark) ? transactionId : "";
}

export interface Order {
  readonly orderId: string;
  readonly productId: number;
  readonly userId: string;
  readonly source: number;
  readonly payChannel: number;
  readonly state: OrderState;
  /** Fen. */
  readonly amount: number;
  readonly coins: number;
  readonly bizCode: number;
  readonly transactionId: string | null;
  readonly payTime: Date | null;
}

/** 1 live room, 2 user centre. */
export function isPaySource(source: number): boolean {
  return source === 1 || source === 2;
}

/**
 * A new order id: a version 7 UUID (RFC 9562), so that ids sort by the millisecond they were made in and nobody can
 * guess another's: with the time given, `v7` counts nothing and 73 bits are random.
 */
export function newOrderId(now = Date.now()): string {
  return v7({ msecs: now });
}

/** The order's id as providers know it: WeChat Pay takes no more than 32 characters. */
export function tradeNoOf(orderId: string): string {
  return orderId.replaceAll("-", "");
}

/** The order id that a provider's trade number stands for; a number that was never one of ours comes back as it is. */
export function orderIdOf(tradeNo: string): string {
  return tradeNo.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, "$1-$2-$3-$4-$5");
}

/** The order as its payer sees it. */
export function payOrderOf(order: Order): PayOrder {
  return {
    orderId: order.orderId,
    productId: order.productId,
    status: orderStatus[order.state],
    coinNum: order.coins,
    amount: order.amount,
    payTime: order.payTime?.toISOString(),
  };
}
