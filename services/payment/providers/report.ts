import type { Parked } from "../order.ts";

/**
 * A provider's report about an order, in a webhook or in an answer. It is verified: genuine, fresh, for this merchant
 * and in its currency.
 */
export interface ProviderReport {
  /** The provider's id of the webhook, the same in every repeat. */
  readonly webhookId: string;
  readonly orderId: string;
  /** The provider's id of the payment. */
  readonly transactionId: string;
  /** The amount of the payment: fen, a positive safe integer. The caller compares it with the order's. */
  readonly amount: number;
  /** `refunded`: money was refunded, in all `refundAmount`; `other`: a state of the provider that changes nothing. */
  readonly status: "paid" | "cancelled" | "refunded" | "refundFailed" | "other";
  /** Fen, of a refund; absent where the provider does not report how much was refunded. */
  readonly refundAmount?: number;
  /** When it happened, by the provider's clock; for a refund without an amount, when the order was paid. */
  readonly time: Date;
}

/** The outcome of a report: for the audit row (t_pay_webhook), and for the answer to the provider. */
export interface Outcome {
  /**
   * `applied`: it changed the order; `repeated`: it was applied already; `ignored`: it changes nothing in this state;
   * `parked`: money that does not belong to an open order, for an operator; `refused`: not genuine, or it does not
   * match the order. After all but `refused` the provider need not call again.
   */
  readonly outcome: "applied" | "repeated" | "ignored" | "parked" | "refused";
  readonly reason: string;
  readonly parked?: Parked;
}

/** The HTTP status of each reason for a refusal. */
export const refusalStatus = Object.freeze({
  malformed: 400,
  signature: 401,
  stale: 401,
  merchant: 400,
  currency: 400,
  amount: 400,
  channel: 400,
  orderUnknown: 404,
  transactionReused: 409,
});
export type Refusal = keyof typeof refusalStatus;

/** Thrown where a webhook is not genuine, or does not match its order. */
export class WebhookRefused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, detail = "") {
    super(detail ? `${refusal}: ${detail}` : refusal);
    this.refusal = refusal;
  }
}
