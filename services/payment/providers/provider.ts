import type { NoticeVerdict } from "../notice-record.ts";
import type { Order } from "../order.ts";
import type { NoticeAnswer, RawNotice } from "../payment.contract.ts";

/** Pay channels by name: what an order's pay_channel and a notice's path say. */
export const payChannels = Object.freeze({ alipay: 0, wechat: 1, unionpay: 2, cashier: 3 });
export type PayChannel = keyof typeof payChannels;

export function payChannelOf(number: number): PayChannel | undefined {
  return (Object.keys(payChannels) as PayChannel[]).find((name) => payChannels[name] === number);
}

/** A notice that is certainly the provider's, fresh, for this merchant and in its currency. */
export interface VerifiedNotice {
  /** The provider's id of the notice, the same in every repeat. */
  readonly noticeId: string;
  readonly orderId: string;
  /** The provider's id of the payment. */
  readonly transactionId: string;
  /** Fen, a positive safe integer. Whether it is the order's is for the caller to see. */
  readonly amount: number;
  /** `other`: a state of the provider's that changes nothing here. */
  readonly says: "paid" | "cancelled" | "other";
  /** When it was paid or cancelled, by the provider's clock. */
  readonly time: Date;
}

/** One payment channel. An implementation knows the provider's formats, keys and merchant, and nothing of states. */
export interface PaymentProvider {
  readonly channel: PayChannel;
  /** Asks for a page to pay the order at. Idempotent by order id. Fails: unavailable. */
  createPayment(order: Order, productName: string): Promise<{ payUrl: string }>;
  /**
   * Verifies signature, freshness, merchant and currency, in this order, and only then reads on.
   * @throws NoticeRefused
   */
  readNotice(raw: RawNotice, now: Date): VerifiedNotice;
  /** What the provider is answered. `status` is that of a refusal, in HTTP. */
  answer(verdict: NoticeVerdict, status: number): NoticeAnswer;
}

/** The channels whose settings are there. */
export type Providers = ReadonlyMap<PayChannel, PaymentProvider>;
