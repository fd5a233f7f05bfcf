import { createHash } from "node:crypto";
import { limits } from "../../../../config/limits.ts";

/** What the cashier was asked to collect. */
export interface Collection {
  readonly orderId: string;
  /** Of the product, for the page. */
  readonly name: string;
  /** Fen. */
  readonly amount: number;
  /** The button that was pressed first; no other counts. */
  readonly action: "pay" | "cancel" | null;
}

/** One webhook call to the merchant about a press. */
export interface CollectionCall {
  readonly orderId: string;
  readonly amount: number;
  readonly action: "pay" | "cancel";
  readonly pressTime: Date;
  readonly noticeId: string;
  readonly transactionId: string;
  /** 1 for the first call of the webhook. */
  readonly attempt: number;
}

/**
 * How many successful answers the cashier wants to an order's webhook: two for some percent of the orders, always the
 * same ones, since a real provider repeats webhooks that were answered too.
 */
export function callsWanted(
  orderId: string,
  duplicatePercent: number = limits.payment.cashierDuplicatePercent,
): number {
  const place = createHash("sha256").update(orderId).digest().readUInt32BE(0) % 100;
  return place < duplicatePercent ? 2 : 1;
}

/** How long to wait after a call that got no success, ms; `null` where the cashier gives up. */
export function retryDelay({ attempt, pressTime }: CollectionCall, now = Date.now()): number | null {
  if (now - pressTime.getTime() > limits.payment.cashierGiveUpMs) return null;
  const delays = limits.payment.cashierRetryDelaysMs;
  return delays[Math.min(attempt, delays.length) - 1] ?? null;
}
