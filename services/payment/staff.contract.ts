import { z } from "zod";
import { action } from "../action-contract.ts";
import { erasureActions } from "../erasure.contract.ts";
import { cursor, limit, orderId, userId } from "../fields.ts";

/** What staff look up of payment orders. Amounts are fen, coins whole coins, times ISO 8601 in UTC. */

/** An order as staff see it. */
export interface StaffPayOrder {
  orderId: string;
  userId: string;
  productId: number;
  /** `null` where the product is gone. */
  productName: string | null;
  /** 1 live room, 2 user centre. */
  source: number;
  /** The number of its channel. */
  payChannel: number;
  /** As PayOrder.status. */
  status: number;
  amount: number;
  coins: number;
  /** The provider's id of the payment that paid it. */
  transactionId: string | null;
  createTime: string;
  payTime: string | null;
  refundTime: string | null;
  refundReason: string | null;
}

/** A call of the provider, or its answer to a query. */
export interface StoredWebhook {
  time: string;
  channel: string;
  /** applied, repeated, ignored, parked, refused. */
  outcome: string;
  reason: string;
  transactionId: string | null;
  amount: number | null;
  /** It is the provider's answer to a query. */
  asked: boolean;
}

/** What payment has of an order. Lists have the oldest `limits.lookup.storyRows` rows. */
export interface PayOrderStory {
  order: StaffPayOrder;
  webhooks: StoredWebhook[];
  marks: { mark: string; transactionId: string | null; since: string }[];
  /** Messages to the wallet and events of the order: unpublished ones, and published ones for `limits.outbox.keepSentMs`. */
  messages: { subject: string; writtenTime: string; sentTime: string | null; sequence: number | null }[];
  /** Messages to the wallet whose effect is not confirmed yet; what is confirmed leaves no row. */
  unconfirmed: { effect: "credit" | "refund"; nextTime: string; asked: number; again: number }[];
  /** While the provider is asked about the open order. */
  watch: { nextTime: string; expireTime: string; asked: number } | null;
  refund: {
    /** requested, processing, done, failed. */
    state: string;
    /** Who began it: operator or provider. */
    origin: string;
    amount: number;
    reason: string;
    attempts: number;
    problem: string | null;
    time: string;
    acceptedTime: string | null;
    updateTime: string;
  } | null;
  differences: {
    date: string;
    channel: string;
    kind: string;
    detail: string;
    time: string;
    resolvedTime: string | null;
    resolveReason: string | null;
  }[];
  /** There are more rows than a list has. */
  cut: boolean;
}

export const paymentStaffActions = {
  /** Of a payer: what webhooks have of the person, and reasons. Orders, payments and refunds stay. */
  ...erasureActions,
  /** A user's orders, newest first. Fails: unavailable. */
  ordersOfUser: action({ userId, cursor, limit }).returns<{ list: StaffPayOrder[]; nextCursor: string | null }>(),
  /**
   * Orders by their order id, also as providers have it (without hyphens), or by the provider's id of a payment: those
   * that genuine reports about it named, also where it paid none of them, as the second payment of an order. Fails:
   * unavailable.
   */
  findOrders: action({ q: z.string().regex(/^[\x21-\x7e]{1,64}$/) }).returns<{ list: StaffPayOrder[] }>(),
  /** Fails: payOrderUnknown, unavailable. */
  orderStory: action({ orderId }).returns<PayOrderStory>(),
};
