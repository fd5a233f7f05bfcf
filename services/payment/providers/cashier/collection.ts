import { createHash } from "node:crypto";
import { limits } from "../../../../config/limits.ts";

/** A payment that the cashier was asked to collect. */
export interface Collection {
  readonly orderId: string;
  /** The product's name, for the page. */
  readonly name: string;
  /** Fen. */
  readonly amount: number;
  /** The button that was pressed first; only this one counts. */
  readonly action: "pay" | "cancel" | null;
}

/** One webhook call to the merchant about a pressed button. */
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
 * The number of successful answers that the cashier wants to an order's webhook: two for some percent of the orders,
 * always the same ones, since real providers also repeat answered webhooks.
 */
export function callsWanted(
  orderId: string,
  duplicatePercent: number = limits.payment.cashierDuplicatePercent,
): number {
  const place = createHash("sha256").update(orderId).digest().readUInt32BE(0) % 100;
  return place < duplicatePercent ? 2 : 1;
}

/** The delay after a call without success, ms; `null` where the cashier stops. */
export function retryDelay({ attempt, pressTime }: CollectionCall, now = Date.now()): number | null {
  if (now - pressTime.getTime() > limits.payment.cashierGiveUpMs) return null;
  const delays = limits.payment.cashierRetryDelaysMs;
  return delays[Math.min(attempt, delays.length) - 1] ?? null;
}
