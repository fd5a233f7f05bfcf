import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action, type EventsOf } from "../action-contract.ts";
import {
  businessId,
  coinAmount,
  eventTime,
  id,
  integer,
  kind,
  moveId,
  operator,
  orderId,
  reason,
  userId,
} from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";
import { channel, date, paymentOperatorActions } from "./operators.contract.ts";
import { paymentStaffActions } from "./staff.contract.ts";

/**
 * The actions and events of the payment service for other services. Prices and amounts are fen, coins are whole coins.
 */
export interface Product {
  id: number;
  name: string;
  coinNum: number;
}

/** A channel that accepts orders. */
export interface OpenChannel {
  /** Its number in orders. */
  payChannel: number;
  name: string;
  /** Its name for payers. */
  title: { readonly zh: string; readonly en: string };
  /**
   * The way to pay. `qr`: `payUrl` is the content of a QR code for the provider's app; `redirect`: `payUrl` is the
   * provider's page; `page`: `payUrl` is a page of the provider at this gateway.
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

const count = integer(0, 100_000_000);
const textMap = z.record(z.string(), z.string());

/** A webhook call exactly as received, before any verification. */
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
  /** The provider's or the merchant's number of the refund, where the bill has one. */
  refundId: z.string().max(64).optional(),
});
/** A line of a provider's bill of a day. */
export type BillLine = Readonly<z.infer<typeof billLine>>;

/** The only type of product. */
const coins = 0;

export const paymentActions = {
  ...paymentOperatorActions,
  ...paymentStaffActions,
  /** Products on sale by price descending. */
  products: action({ type: integer(coins, coins) }).returns<Product[]>(),
  /** The open channels, in the order in which payers see them. */
  payChannels: action({}).returns<OpenChannel[]>(),
  /**
   * Makes an order, fixes its amount (fen), coins and biz code, and asks the channel for a way to pay, which is valid
   * for `expiresInS` seconds. A repeat makes another order. That is harmless: only a paid order costs something, and an
   * unpaid one expires. Fails: invalidParam (product, source, channel), payChannelClosed.
   */
  pay: action({ userId, productId: id, paySource: kind, payChannel: kind }).returns<{
    orderId: string;
    payUrl: string;
    amount: number;
    expiresInS: number;
  }>(),
  /** An order of the user. Fails: payOrderUnknown. */
  order: action({ userId, orderId }).returns<PayOrder>(),
  /**
   * A provider's webhook: verified, then applied at most once. Answers in the provider's format; `null` where the
   * channel is not open. Fails: unavailable, where the outcome could not be written (the provider calls again).
   */
  webhook: action({ channel, ...rawWebhook.shape }).returns<WebhookAnswer | null>(),
  /**
   * The page of a provider (HTML), with the fields that it declares; `press`: its form was posted. Fails: notFound,
   * also where the channel is not open or has no page; and as the page does.
   */
  providerPage: action({ channel, fields: textMap, press: z.boolean() }).returns<{ html: string }>(),
  /** Operators: the order of any user, with the reasons why a person must examine it. Fails: payOrderUnknown. */
  findOrder: action({ orderId, operator }).returns<PayOrder & { userId: string; parked: string[] }>(),
  /**
   * Operators: refunds a paid order, once. When this returns, taking back its coins and returning its money are on
   * their way. A repeat changes nothing and fails with payOrderState, but one of the same `moveId` succeeds;
   * findOrder shows the order as refunded. Fails: payOrderUnknown; payOrderState, also of an order whose row is not as payment wrote it.
   */
  refund: action({ orderId, reason, operator, moveId: moveId.optional() }).returns<PayOrder>(),
  /**
   * Operators: credits a paid order whose credit is held since its payment was refunded, wholly or in part
   * (`creditHeld`), or whose row is repaired (`creditChanged`), once; a repeat of the same `moveId` succeeds. When this
   * returns, its coins are on their way.
   * Fails: payOrderUnknown; payOrderState, also of an order whose row is not as payment wrote it.
   */
  releaseOrder: action({ orderId, reason, operator, moveId: moveId.optional() }).returns<PayOrder>(),
  /**
   * Stores lines of a day's bill that somebody downloaded, for `reconcile`; they are stored when this returns. Lines
   * from 0 on replace those of earlier calls. Fails: invalidParam (no such provider).
   */
  takeBill: action({
    date,
    channel,
    from: count,
    lines: z.array(billLine).max(limits.payment.billLinesPerCall),
  }).returns<null>(),
  /**
   * Operators: compares the payments and refunds of a day (YYYY-MM-DD, Beijing time) with every open channel's bill and
   * with the wallet, and stores the differences, as the daily run does. For the named channels it uses the lines of
   * `takeBill`, which must be as many as given. Fails: invalidParam (a day that is not over, another number of lines),
   * unavailable, also where a bill is not there yet.
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

/** The differences between a channel's bill of a day, or the wallet's books of that day, and the orders. */
export interface DayComparison {
  /** A pay channel, or "wallet". */
  channel: string;
  /** Lines of the bill, or credits and refunds. */
  compared: number;
  /**
   * The number of differences, all of which are stored; `differences` has as many as an answer can carry, a few
   * hundred.
   */
  found: number;
  differences: Difference[];
}

/**
 * The kinds of differences:
 * - `unknown`: a payment in the bill, but no order here that it paid
 * - `notInBill`: paid here, but not in the bill
 * - `amountDiffers`: other money or other coins
 * - `creditedNotPaid`, `paidNotCredited`: coins without a paid order, a paid order without its coins
 * - `refundUnknown`: a refund in the bill, of a payment that is not refunded here
 * - `refundNotInBill`: refunded here, but in no bill
 * - `refundDiffers`: less was refunded by the bills than here
 * - `refundTwice`: more was refunded by the bills than here
 * - `refundNotTaken`: a refunded order whose coins were not taken back, or not all of them
 * - `takenNotRefunded`: coins taken back without a refunded order
 */
export const differenceKinds = [
  "unknown",
  "notInBill",
  "amountDiffers",
  "creditedNotPaid",
  "paidNotCredited",
  "refundUnknown",
  "refundNotInBill",
  "refundDiffers",
  "refundTwice",
  "refundNotTaken",
  "takenNotRefunded",
] as const;

export interface Difference {
  readonly kind: (typeof differenceKinds)[number];
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
  /** Of the seals of the audits. */
  "payment.books-sealed": sealedEvent,
};

/**
 * The messages of the topics in t_pay_topic: a paid order (`pay.recharge`) or its reversal (`pay.refund`). `amount` is
 * in fen.
 */
export const paymentTopics = {
  "pay.recharge": z.object({
    orderId: businessId,
    userId,
    coins: coinAmount,
    amount: id,
    bizCode: id,
    /** What a restore makes the order of again (scripts/restore/); messages of an earlier release lack it. */
    productId: id.optional(),
    source: integer(1).optional(),
    payChannel: integer(0).optional(),
    transactionId: z.string().min(1).max(64).optional(),
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
