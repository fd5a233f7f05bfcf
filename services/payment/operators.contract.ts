import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, id, integer, limit, operator, orderId, reason, text } from "../fields.ts";

/**
 * The operators' actions of payment on products, topics, parked marks and the differences of reconciliations. Each
 * call leaves an audit row. All of them may be repeated.
 */

/** A provider's name (providers.contract.ts). */
export const channel = z.string().regex(/^[a-z]{1,16}$/);
/** A day, YYYY-MM-DD, Beijing time. */
export const date = z.string().regex(/^20\d\d-\d\d-\d\d$/);

/** A product for operators, on sale or not. */
export interface ProductRecord {
  productId: number;
  name: string;
  /** Fen. */
  price: number;
  /** `null` where the row has no valid number: then it cannot be sold. */
  coins: number | null;
  /** 0 coins. */
  type: number;
  /** 0 not on sale, 1 on sale. */
  status: number;
  createTime: string;
  updateTime: string;
}

/** The topic of a biz code: the subject of the message of its paid orders. */
export interface TopicRecord {
  bizCode: number;
  topic: string;
  /** 0 off, 1 on. */
  status: number;
  remark: string;
  /** Paid orders of the biz code that wait for a topic (`topicMissing`), counted up to `limits.metrics.countedRows`. */
  waiting: number;
}

/**
 * What an operator may do about a parked order: `setTopic` (payment.setTopic), `release` (payment.releaseOrder),
 * `refund` (payment.refund), `remove` (payment.removeMark, once it is settled at the provider).
 */
export type ParkedAction = "setTopic" | "release" | "refund" | "remove";

/** A reason why a person must examine an order. */
export interface ParkedMark {
  /** A reason of order.ts. */
  mark: string;
  /** The payment that it concerns; `null` where it concerns the order, or the payment is unknown. */
  transactionId: string | null;
  since: string;
  actions: ParkedAction[];
}

export interface ParkedOrder {
  orderId: string;
  userId: string;
  /** As PayOrder.status. */
  status: number;
  /** Fen. */
  amount: number;
  coinNum: number;
  marks: ParkedMark[];
}

/** A difference that nobody has resolved yet. */
export interface OpenDifference {
  id: number;
  date: string;
  /** A pay channel, or "wallet". */
  channel: string;
  kind: string;
  orderId: string;
  transactionId: string | null;
  detail: string;
  /** When it was first found. */
  foundTime: string;
}

/** The state of the comparison of a day with the bill of a channel, or with the wallet. */
export interface ComparedDay {
  date: string;
  /** A pay channel, or "wallet". */
  channel: string;
  /** `null`: not compared yet. */
  comparedTime: string | null;
  /** Lines of the bill, or credits and refunds of the wallet. */
  compared: number;
  /** Differences that nobody has resolved. */
  open: number;
  /** Why the last attempt failed, where it did. */
  problem: string | null;
}

/** The name of a key in PAY_KEYS. */
const keyName = z.string().regex(/^[A-Za-z0-9_-]{1,16}$/);
const productName = text(1, limits.payment.productNameChars);
const price = integer(1, limits.payment.productFen);
const coins = integer(1, limits.payment.productCoins);
const bizCode = integer(1, limits.payment.bizCode);
const mark = z.string().regex(/^[A-Za-z]{1,20}$/);

/** The orders that were paid in a minute. */
export interface PaidMinute {
  /** Its first second, ISO. */
  minute: string;
  paidOrders: number;
  /** Their coins, credited or not yet. */
  chargedCoins: number;
}

export interface PaymentFigures {
  /** Orders that wait for a person, and differences of the reconciliation; up to `limits.metrics.countedRows`. */
  parked: number;
  differences: number;
  /** The last `limits.metrics.minutesShown` minutes, oldest first, by when the order was paid at its provider. */
  perMinute: PaidMinute[];
}

export const paymentOperatorActions = {
  /** For people to look at, as of the last seconds; no audit row. Fails: unavailable. */
  figures: action({}).returns<PaymentFigures>(),
  /**
   * The orders that may still be paid, credited or refunded and need a key of PAY_KEYS for it: the key may not be removed
   * while there are any. A part of the orders is read at each call: go on until `nextCursor` is null. Fails: unavailable.
   */
  ordersOfKey: action({ keyName, cursor }).returns<{ list: string[]; nextCursor: string | null }>(),
  /** Every product, by id, on sale or not. */
  allProducts: action({ operator }).returns<{ list: ProductRecord[] }>(),
  /**
   * Adds a product of coins, on sale. `price` is fen. A repeat with the same content answers the product. Fails:
   * productIdTaken, where the id has other content.
   */
  createProduct: action({ productId: id, name: productName, price, coins, operator }).returns<ProductRecord>(),
  /**
   * Changes a product; orders keep the price and coins that they were made with. In force on every node when it
   * returns. `status` 0 takes it off sale. Fails: productUnknown.
   */
  updateProduct: action({
    productId: id,
    name: productName.optional(),
    price: price.optional(),
    coins: coins.optional(),
    status: integer(0, 1).optional(),
    operator,
  }).returns<ProductRecord>(),
  /** Every topic, by biz code. */
  topics: action({ operator }).returns<{ list: TopicRecord[] }>(),
  /**
   * Sets the topic of a biz code, which may be new. It counts for every order that is paid from then on; paid orders
   * that wait for one are credited within half a minute, and `waiting` is their number. Fails: topicRefused, where the
   * topic is no subject of paid orders, or not the one that the product of this biz code needs.
   */
  setTopic: action({
    bizCode,
    topic: text(0, 64),
    status: integer(0, 1).default(1),
    remark: text(0, limits.payment.reasonChars).default(""),
    operator,
  }).returns<TopicRecord>(),
  /**
   * Orders that a person must examine, oldest first, and what may be done about each reason. `cursor` is the last order
   * of the page before.
   */
  parkedOrders: action({
    mark: mark.optional(),
    cursor: z
      .string()
      .regex(/^[\w-]{0,64}$/)
      .optional(),
    limit,
    operator,
  }).returns<{ list: ParkedOrder[]; nextCursor: string | null }>(),
  /**
   * Takes a mark off an order, once a person has settled it at the provider; of `refundFailed` the refund is done then.
   * A mark that is not there is not an error: `removed` is false. Fails: invalidParam (no such mark), payOrderUnknown,
   * markStays (parked-actions.ts).
   */
  removeMark: action({
    orderId,
    mark,
    transactionId: text(0, 64).default(""),
    reason,
    operator,
  }).returns<{ orderId: string; removed: boolean; parked: string[] }>(),
  /** The days of the reconciliation, newest first: as many as the daily run goes back. */
  comparedDays: action({ operator }).returns<{ list: ComparedDay[] }>(),
  /** Differences that nobody has resolved, oldest first. `cursor` is the id of the last one of the page before. */
  differences: action({ date: date.optional(), channel: channel.optional(), cursor, limit, operator }).returns<{
    list: OpenDifference[];
    nextCursor: string | null;
  }>(),
  /**
   * Resolves a difference: it is explained or settled, and no metric counts it any more, also where a later comparison
   * of the day finds it again. A repeat keeps the first reason. Fails: differenceUnknown, also where a later comparison
   * did not find it.
   */
  resolveDifference: action({ id, reason, operator }).returns<{ id: number; resolvedTime: string; reason: string }>(),
};
