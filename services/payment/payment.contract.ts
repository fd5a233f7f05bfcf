import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { id, integer, isoTime, kind, operator, orderId, reason, userId } from "../fields.ts";

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
  name: "alipay" | "wechat" | "unionpay" | "cashier";
  /**
   * How a person pays with it. `qr`: `payUrl` is what a QR code says that the provider's app scans; `redirect`: it is the
   * provider's page; `page`: the sandbox cashier's.
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

/** What the provider is to be answered, in its own format. */
export interface NoticeAnswer {
  httpStatus: number;
  contentType: string;
  body: string;
}

/** As it came with a request for a page: it may be any text. */
const anyOrderId = z.string().min(1).max(64);
const channel = z.enum(["wechat", "alipay", "cashier"]);
/** Pay channels that have a bill. */
export type BilledChannel = z.infer<typeof channel>;
const date = z.string().regex(/^20\d\d-\d\d-\d\d$/);
const count = integer(0, 100_000_000);
const textMap = z.record(z.string(), z.string());

/** A provider's notice exactly as it came, before anything of it is believed. */
const rawNotice = z.object({
  /** The body as sent, UTF-8 text; signatures are over these bytes. */
  body: z.string().max(limits.http.bodyBytes),
  headers: textMap,
  query: textMap,
  ip: z.string().max(64),
});
export type RawNotice = z.infer<typeof rawNotice>;

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
   * A provider's notice: verified, then applied at most once. Answers in the provider's format; `null` where the
   * channel is not configured. Fails: unavailable, where the truth could not be written (the provider calls again).
   */
  notice: action({ channel, ...rawNotice.shape }).returns<NoticeAnswer | null>(),
  /** The sandbox cashier's page (HTML) of an order. Fails: notFound where there is none or the cashier is closed. */
  cashierPage: action({ orderId: anyOrderId }).returns<{ html: string }>(),
  /** Presses a button of the cashier's page. Fails: notFound, invalidParam. */
  cashierPress: action({ orderId: anyOrderId, action: z.string().max(20) }).returns<{ html: string }>(),
  /** Operators: any user's order, with what somebody has to look at about it. Fails: payOrderUnknown. */
  findOrder: action({ orderId, operator }).returns<PayOrder & { userId: string; parked: string[] }>(),
  /** Operators: a paid order is refunded, once: its coins are taken back, its money is given back by the
   * provider, both on their way when this returns. A repeat moves nothing: it fails with payOrderState, and findOrder
   * shows the order as refunded. Fails: payOrderUnknown, payOrderState. */
  refund: action({ orderId, reason, operator }).returns<PayOrder>(),
  /**
   * Operators: a paid order that is not credited, since money of its payment had gone back before (`creditHeld`), is
   * credited all the same, once; its coins are on their way when this returns. Fails: payOrderUnknown, payOrderState.
   */
  release: action({ orderId, reason, operator }).returns<PayOrder>(),
  /**
   * Takes lines of a day's bill that somebody downloaded by hand, for `reconcile`; they are stored when this returns.
   * Those from line 0 on are in the place of what was handed in before.
   */
  takeBill: action({ date, channel, from: count, lines: z.array(billLine).max(2_000) }).returns<null>(),
  /**
   * Operators: compares a day (YYYY-MM-DD, Beijing's) with every open channel's bill and with the wallet; the differences
   * are stored. Of the channels that are named the bill that was handed in is taken, which must have so many lines.
   * Fails: invalidParam (a day that is not over, another number of lines), unavailable.
   */
  reconcile: action({
    date,
    handedIn: z
      .array(z.object({ channel, lines: count }))
      .max(3)
      .optional(),
    operator,
  }).returns<DayComparison[]>(),
};

/** What a day's bill of a channel, or the wallet's credits of that day, and our orders say differently. */
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

/** `amount` is money, fen. */
export const paymentEvents = {
  "payment.paid": z.object({ orderId, userId, productId: id, amount: id, coins: id, bizCode: id, time: isoTime }),
  "payment.refunded": z.object({ orderId, userId, amount: id, coins: id, reason: z.string(), time: isoTime }),
};

/** What a topic of t_pay_topic carries: a paid order (`pay.recharge`) or its reversal (`pay.refund`). */
export const paymentTopics = {
  "pay.recharge": z.object({ orderId, userId, coins: id, amount: id, bizCode: id, time: isoTime }),
  "pay.refund": z.object({ orderId, userId, coins: id, amount: id, reason: z.string(), time: isoTime }),
};
export type PaymentTopics = { [Name in keyof typeof paymentTopics]: z.infer<(typeof paymentTopics)[Name]> };
