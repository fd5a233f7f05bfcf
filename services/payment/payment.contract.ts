import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action, type EventsOf } from "../action-contract.ts";
import { businessId, coinAmount, eventTime, id, integer, kind, operator, orderId, reason, userId } from "../fields.ts";

/** What other services may use of the payment service. Prices and amounts are fen, coins are whole coins. */
export interface Product {
  id: number;
  name: string;
  coinNum: number;
}

/** A channel that takes orders. */
export interface OpenChannel {
  /** The number that orders name it by. */
  payChannel: number;
  name: string;
  /** What payers call it. */
  title: { readonly zh: string; readonly en: string };
  /**
   * How a person pays with it. `qr`: `payUrl` is the content of a QR code that the provider's app scans; `redirect`: it is
   * the provider's page; `page`: a page of the provider's at this gateway.
   */
  kind: "qr" | "redirect" | "page";
}

export interface PayOrder {
  orderId: string;
  productId: number;
  /** 0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded. */
  status: number;
  coinNum: number;
  /** Fen. */
  amount: number;
  payTime?: string;
}

/** The answer to a webhook, in the provider's own format. */
export interface WebhookAnswer {
  httpStatus: number;
  contentType: string;
  body: string;
}

/** A provider's name (providers.contract.ts). */
const channel = z.string().regex(/^[a-z]{1,16}$/);
const date = z.string().regex(/^20\d\d-\d\d-\d\d$/);
const count = integer(0, 100_000_000);
const textMap = z.record(z.string(), z.string());

/** A webhook call exactly as it came, before anything of it is verified. */
const rawWebhook = z.object({
  /** The body as sent, UTF-8 text; signatures are over these bytes. */
  body: z.string().max(limits.http.bodyBytes),
  headers: textMap,
  query: textMap,
  ip: z.string().max(64),
});
export type RawWebhook = z.infer<typeof rawWebhook>;

const billLine = z.object({
  kind: z.enum(["paid", "refunded"]),
  orderId: z.string().max(80),
  transactionId: z.string().max(64),
  /** Fen. */
  amount: integer(0),
});
/** A line of a provider's bill of a day. */
export type BillLine = Readonly<z.infer<typeof billLine>>;

/** The only type of product there is. */
const coins = 0;

export const paymentActions = {
  /** Products on sale by price descending. */
  products: action({ type: integer(coins, coins) }).returns<Product[]>(),
  /** The channels that are open here, in the order in which they are to be offered. */
  payChannels: action({}).returns<OpenChannel[]>(),
  /**
   * Makes an order (amount, fen, coins and biz code fixed now) and asks the channel how it is paid; it can be for
   * `expiresInS` seconds. A repeat is another order: harmless, since only what somebody pays costs anything, and what
   * nobody pays expires. Fails: invalidParam (product, source, channel), payChannelClosed.
   */
  pay: action({ userId, productId: id, paySource: kind, payChannel: kind }).returns<{
    orderId: string;
    payUrl: string;
    amount: number;
    expiresInS: number;
  }>(),
  /** An order of the user's own. Fails: payOrderUnknown. */
  order: action({ userId, orderId }).returns<PayOrder>(),
  /**
   * A provider's webhook: verified, then applied at most once. Answers in the provider's format; `null` where the
   * channel is not open. Fails: unavailable, where the outcome could not be written (the provider calls again).
   */
  webhook: action({ channel, ...rawWebhook.shape }).returns<WebhookAnswer | null>(),
  /**
   * The page of a provider (HTML), with the fields that it declares; `press`: its form was posted. Fails: notFound, also
   * where the channel is not open or has no page, and what the page fails with.
   */
  providerPage: action({ channel, fields: textMap, press: z.boolean() }).returns<{ html: string }>(),
  /** Operators: any user's order, with the reasons why somebody must look at it. Fails: payOrderUnknown. */
  findOrder: action({ orderId, operator }).returns<PayOrder & { userId: string; parked: string[] }>(),
  /** Operators: a paid order is refunded, once: its coins are taken back, its money is given back by the
   * provider, both on their way when this returns. A repeat moves nothing: it fails with payOrderState, and findOrder
   * shows the order as refunded. Fails: payOrderUnknown, payOrderState. */
  refund: action({ orderId, reason, operator }).returns<PayOrder>(),
  /**
   * Operators: a paid order that is not credited, since money of its payment had gone back (`creditHeld`), is
   * credited all the same, once; its coins are on their way when this returns. Fails: payOrderUnknown, payOrderState.
   */
  releaseOrder: action({ orderId, reason, operator }).returns<PayOrder>(),
  /**
   * Takes lines of a day's bill that somebody downloaded by hand, for `reconcile`; they are stored when this returns.
   * Those from line 0 on replace what an earlier call handed in. Fails: invalidParam (no such provider).
   */
  takeBill: action({
    date,
    channel,
    from: count,
    lines: z.array(billLine).max(limits.payment.billLinesPerCall),
  }).returns<null>(),
  /**
   * Operators: compares a day (YYYY-MM-DD, Beijing's) with every open channel's bill and with the wallet; the differences
   * are stored. Of the channels that are named the bill that was handed in is taken, which must have so many lines.
   * Fails: invalidParam (a day that is not over, another number of lines), unavailable.
   */
  reconcile: action({
    date,
    handedIn: z
      .array(z.object({ channel, lines: count }))
      .max(limits.payment.billsPerDay)
      .optional(),
    operator,
  }).returns<DayComparison[]>(),
};

/** How a day's bill of a channel, or the wallet's credits of that day, differ from our orders. */
export interface DayComparison {
  /** A pay channel, or "wallet". */
  channel: string;
  /** Lines of the bill, or credits. */
  compared: number;
  /** Differences there are, all of them stored; `differences` names as many as an answer carries, a few hundred. */
  found: number;
  differences: Difference[];
}

export interface Difference {
  /**
   * `unknown`: in the bill, and no paid order of ours; `notInBill`: paid here, and not in the bill; `creditedNotPaid`:
   * coins without a paid order; `paidNotCredited`; `amountDiffers`: of money or of coins.
   */
  readonly kind: "paidNotCredited" | "creditedNotPaid" | "amountDiffers" | "unknown" | "notInBill";
  readonly orderId: string;
  readonly transactionId: string | null;
  readonly detail: string;
}

export const paymentEvents = {
  "payment.paid": z.object({
    orderId: businessId,
    userId,
    productId: id,
    amount: id,
    coins: coinAmount,
    bizCode: id,
    time: eventTime,
  }),
  "payment.refunded": z.object({
    orderId: businessId,
    userId,
    amount: id,
    coins: coinAmount,
    reason: z.string(),
    time: eventTime,
  }),
};
export type PaymentEvents = EventsOf<typeof paymentEvents>;

/** What a topic of t_pay_topic carries: a paid order (`pay.recharge`) or its reversal (`pay.refund`). `amount` is in fen. */
export const paymentTopics = {
  "pay.recharge": z.object({
    orderId: businessId,
    userId,
    coins: coinAmount,
    amount: id,
    bizCode: id,
    time: eventTime,
  }),
  "pay.refund": z.object({
    orderId: businessId,
    userId,
    coins: coinAmount,
    amount: id,
    reason: z.string(),
    time: eventTime,
  }),
};
export type PaymentTopics = EventsOf<typeof paymentTopics>;
