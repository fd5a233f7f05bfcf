import { v7 } from "uuid";
import type { OrderState } from "./order-state.ts";
import { orderStatus } from "./order-state.ts";
import type { PayOrder } from "./payment.contract.ts";

/**
 * Why a person must examine an order: t_pay_parked.reason. An order may have several, and each is removed on its own.
 * `topicMissing`, `creditHeld` and `creditChanged` also mean that a paid order is not credited. `creditChanged` and
 * `refundChanged`: its row is not as payment wrote it (order-macs.ts), so no coins are given, or taken back.
 */
export const parkedReasons = [
  "topicMissing",
  "creditHeld",
  "creditChanged",
  "paidWhenClosed",
  "paidTwice",
  "refundPartial",
  "refundUnclear",
  "refundFailed",
  "refundChanged",
] as const;
export type Parked = (typeof parkedReasons)[number];

/**
 * `neverCredited` is stored with the reasons but needs nobody: a refunded order whose coins were never credited, so
 * that none are taken back.
 */
export type Mark = Parked | "neverCredited";

/** The reasons that mean that the coins of a paid order are not on their way. */
export const uncredited = ["topicMissing", "creditHeld", "creditChanged"] as const satisfies Parked[];

/** The reasons that mean that a payment was refunded, wholly or in part, and no coins were taken back. */
export const moneyGone = ["refundPartial", "refundUnclear"] as const satisfies Parked[];

/** The reasons that each payment of an order may have; the others concern the order. */
const ofPayments: readonly Mark[] = ["paidWhenClosed", "paidTwice", ...moneyGone];

/** The payment that a mark concerns: `""` where it concerns the order. */
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
  /** See order-macs.ts. */
  readonly termsMac: string | null;
  readonly paidMac: string | null;
}

/** 1 live room, 2 user centre. */
export function isPaySource(source: number): boolean {
  return source === 1 || source === 2;
}

/**
 * A new order id: a version 7 UUID (RFC 9562). Ids sort by the millisecond of their creation, and nobody can guess
 * another: with the time given, `v7` has no counter and 73 random bits.
 */
export function newOrderId(now = Date.now()): string {
  return v7({ msecs: now });
}

/** The order's id at providers: WeChat Pay accepts at most 32 characters. */
export function tradeNoOf(orderId: string): string {
  return orderId.replaceAll("-", "");
}

/** The order id of a provider's trade number. A number that is none of ours is returned unchanged. */
export function orderIdOf(tradeNo: string): string {
  return tradeNo.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, "$1-$2-$3-$4-$5");
}

/** The order for its payer. */
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
