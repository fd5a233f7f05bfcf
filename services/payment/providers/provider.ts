import type { NoticeVerdict } from "../notice-record.ts";
import type { Order } from "../order.ts";
import type { BillLine, NoticeAnswer, OpenChannel, RawNotice } from "../payment.contract.ts";

export type { BillLine };

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
  /** What the order is to be paid with: fen, a positive safe integer. Whether it is the order's is for the caller to see. */
  readonly amount: number;
  /** `refunded`: money went back, all that went back so far; `other`: a state of the provider's that changes nothing. */
  readonly says: "paid" | "cancelled" | "refunded" | "refundFailed" | "other";
  /** Fen, of a refund; absent where the provider does not say how much of the payment went back. */
  readonly refundAmount?: number;
  /** When it happened, by the provider's clock; of a refund without an amount, when the order was paid. */
  readonly time: Date;
}

/** What the provider answers to the question after an order, verified like a notice. */
export type ProviderOrder =
  | { readonly says: "paid"; readonly transactionId: string; readonly amount: number; readonly time: Date }
  /** It was paid at `time`, and the payment went back since: `refundAmount` of it, where the provider says how much. */
  | {
      readonly says: "refunded";
      readonly transactionId: string;
      readonly amount: number;
      readonly refundAmount?: number;
      readonly time: Date;
    }
  /** Can still be paid. */
  | { readonly says: "open" }
  | { readonly says: "closed" }
  /** The provider has never heard of it: nobody has begun to pay. */
  | { readonly says: "unknown" };

export interface RefundRequest {
  readonly orderId: string;
  readonly transactionId: string;
  /** What was paid, and is given back as a whole: fen. */
  readonly amount: number;
  readonly reason: string;
}

/** One payment channel. An implementation knows the provider's formats, keys and merchant, and nothing of states. */
export interface PaymentProvider {
  readonly channel: PayChannel;
  /** How a person pays with it: what `payUrl` is. */
  readonly kind: OpenChannel["kind"];
  /** Asks for what the order is paid by until `expires`. Idempotent by order id. Fails: unavailable. */
  createPayment(order: Order, productName: string, expires: Date): Promise<{ payUrl: string }>;
  /**
   * Verifies signature, freshness, merchant and currency, in this order, and only then reads on. Payments and refunds
   * come to the same address.
   * @throws NoticeRefused
   */
  readNotice(raw: RawNotice, now: Date): VerifiedNotice;
  /** What the provider is answered. `status` is that of a refusal, in HTTP. */
  answer(verdict: NoticeVerdict, status: number): NoticeAnswer;
  /** How the order stands at the provider. Fails: unavailable, where the answer did not come or did not verify. */
  queryOrder(orderId: string): Promise<ProviderOrder>;
  /**
   * Asks that nobody can pay the order any more. What came of it is for `queryOrder` to say: it may have been paid at the
   * last moment. Fails: unavailable.
   */
  closeOrder(orderId: string): Promise<void>;
  /**
   * Gives the whole payment back, once: a repeat is the same refund and tells how it stands by now. Fails: unavailable.
   */
  refund(request: RefundRequest): Promise<"done" | "processing" | "failed">;
  /** What was paid and refunded on a day (YYYY-MM-DD, Beijing's). Fails: unavailable. */
  bill(date: string): Promise<BillLine[]>;
}

/** The channels whose settings are there, in the order in which payers are offered them. */
export type Providers = ReadonlyMap<PayChannel, PaymentProvider>;

export function openChannels(providers: Providers): OpenChannel[] {
  return [...providers].map(([name, { kind }]) => ({ payChannel: payChannels[name], name, kind }));
}
