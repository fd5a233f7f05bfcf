import type { Parked } from "../order.ts";

/**
 * What a provider states about an order, in a webhook or as the answer to a question: certainly the provider's, fresh,
 * for this merchant and in its currency.
 */
export interface ProviderReport {
  /** The provider's id of the webhook, the same in every repeat. */
  readonly webhookId: string;
  readonly orderId: string;
  /** The provider's id of the payment. */
  readonly transactionId: string;
  /** What the order is to be paid with: fen, a positive safe integer. Whether it is the order's is checked by the caller. */
  readonly amount: number;
  /** `refunded`: money went back, all that went back so far; `other`: a state of the provider's that changes nothing. */
  readonly status: "paid" | "cancelled" | "refunded" | "refundFailed" | "other";
  /** Fen, of a refund; absent where the provider does not tell how much of the payment went back. */
  readonly refundAmount?: number;
  /** When it happened, by the provider's clock; of a refund without an amount, when the order was paid. */
  readonly time: Date;
}

/** What a report led to: an audit row (t_pay_webhook) and, for the provider, success or not. */
export interface Outcome {
  /**
   * `applied` changed the order; `repeated` was applied before; `ignored` changes nothing at this state; `parked` is
   * money that did not go to an order, for an operator; `refused` was not genuine or does not fit. All but the last are
   * final for the provider: it need not call again.
   */
  readonly outcome: "applied" | "repeated" | "ignored" | "parked" | "refused";
  readonly reason: string;
  readonly parked?: Parked;
}

/** The HTTP status that each reason for a refusal is answered with. */
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

/** Thrown where a webhook is not genuine, or does not fit its order. */
export class WebhookRefused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, detail = "") {
    super(detail ? `${refusal}: ${detail}` : refusal);
    this.refusal = refusal;
  }
}
