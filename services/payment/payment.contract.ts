import { userIdPattern } from "../user-id-pattern.ts";

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

/** A provider's notice exactly as it came, before anything of it is believed. */
export interface RawNotice {
  /** The body as sent, UTF-8 text; signatures are over these bytes. */
  body: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  ip: string;
}

/** What the provider is to be answered, in its own format. */
export interface NoticeAnswer {
  httpStatus: number;
  contentType: string;
  body: string;
}

export interface PaymentActions {
  /** Products on sale by price descending. */
  products: { params: { type: number }; result: Product[] };
  /** The channels that are open here, in the order in which they are to be offered. */
  payChannels: { params: Record<string, never>; result: OpenChannel[] };
  /**
   * Makes an order (amount, fen, coins and biz code fixed now) and asks the channel how it is paid; it can be for
   * `expiresInS` seconds. A repeat is another order: harmless, since only what somebody pays costs anything, and what
   * nobody pays expires. Fails: invalidParam (product, source, channel), payChannelClosed.
   */
  pay: {
    params: { userId: string; productId: number; paySource: number; payChannel: number };
    result: { orderId: string; payUrl: string; amount: number; expiresInS: number };
  };
  /** An order of the user's own. Fails: payOrderUnknown. */
  order: { params: { userId: string; orderId: string }; result: PayOrder };
  /**
   * A provider's notice: verified, then applied at most once. Answers in the provider's format; `null` where the
   * channel is not configured. Fails: unavailable, where the truth could not be written (the provider calls again).
   */
  notice: { params: RawNotice & { channel: "wechat" | "alipay" | "cashier" }; result: NoticeAnswer | null };
  /** The sandbox cashier's page (HTML) of an order. Fails: notFound where there is none or the cashier is closed. */
  cashierPage: { params: { orderId: string }; result: { html: string } };
  /** Presses a button of the cashier's page. Fails: notFound, invalidParam. */
  cashierPress: { params: { orderId: string; action: string }; result: { html: string } };
  /** Operators: any user's order, with what somebody has to look at about it. Fails: payOrderUnknown. */
  findOrder: {
    params: { orderId: string; operator: string };
    result: PayOrder & { userId: string; parked: string[] };
  };
  /** Operators: a paid order is refunded, once: its coins are taken back, its money is given back by the
   * provider, both on their way when this returns. A repeat moves nothing: it fails with payOrderState, and findOrder
   * shows the order as refunded. Fails: payOrderUnknown, payOrderState. */
  refund: { params: { orderId: string; reason: string; operator: string }; result: PayOrder };
  /**
   * Operators: a paid order that is not credited, since money of its payment had gone back before (`creditHeld`), is
   * credited all the same, once; its coins are on their way when this returns. Fails: payOrderUnknown, payOrderState.
   */
  release: { params: { orderId: string; reason: string; operator: string }; result: PayOrder };
  /**
   * Takes lines of a day's bill that somebody downloaded by hand, for `reconcile`; they are stored when this returns.
   * Those from line 0 on are in the place of what was handed in before.
   */
  takeBill: { params: { date: string; channel: BilledChannel; from: number; lines: BillLine[] }; result: null };
  /**
   * Operators: compares a day (YYYY-MM-DD, Beijing's) with every open channel's bill and with the wallet; the differences
   * are stored. Of the channels that are named the bill that was handed in is taken, which must have so many lines.
   * Fails: invalidParam (a day that is not over, another number of lines), unavailable.
   */
  reconcile: {
    params: { date: string; handedIn?: { channel: BilledChannel; lines: number }[]; operator: string };
    result: DayComparison[];
  };
}

/** Pay channels that have a bill. */
export type BilledChannel = "wechat" | "alipay" | "cashier";

/** A line of a provider's bill of a day. */
export interface BillLine {
  readonly kind: "paid" | "refunded";
  readonly orderId: string;
  readonly transactionId: string;
  /** Fen. */
  readonly amount: number;
}

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

export interface PaymentEvents {
  "payment.paid": {
    orderId: string;
    userId: string;
    productId: number;
    amount: number;
    coins: number;
    bizCode: number;
    time: string;
  };
  "payment.refunded": { orderId: string; userId: string; amount: number; coins: number; reason: string; time: string };
}

/** What a topic of t_pay_topic carries: a paid order (`pay.recharge`) or its reversal (`pay.refund`). */
export interface PaymentTopics {
  "pay.recharge": { orderId: string; userId: string; coins: number; amount: number; bizCode: number; time: string };
  "pay.refund": { orderId: string; userId: string; coins: number; amount: number; reason: string; time: string };
}

const userId = { type: "string", pattern: userIdPattern } as const;
const integer = { type: "number", integer: true } as const;
const orderId = { type: "string", min: 1, max: 64 } as const;
const reason = { type: "string", min: 1, max: 200 } as const;
const operator = { type: "string", min: 1, max: 100 } as const;
const channel = { type: "enum", values: ["wechat", "alipay", "cashier"] } as const;
const date = { type: "string", pattern: /^20\d\d-\d\d-\d\d$/ } as const;
const count = { type: "number", integer: true, min: 0, max: 100_000_000 } as const;
const textMap = { type: "record", key: { type: "string" }, value: { type: "string" } } as const;

export const paymentParams = {
  products: { type: integer },
  payChannels: {},
  pay: { userId, productId: integer, paySource: integer, payChannel: integer },
  order: { userId, orderId },
  notice: {
    channel,
    body: { type: "string", max: 65_536 },
    headers: textMap,
    query: textMap,
    ip: { type: "string", max: 64 },
  },
  cashierPage: { orderId },
  cashierPress: { orderId, action: { type: "string", max: 20 } },
  findOrder: { orderId, operator },
  takeBill: {
    date,
    channel,
    from: count,
    lines: {
      type: "array",
      max: 2_000,
      items: {
        type: "object",
        props: {
          kind: { type: "enum", values: ["paid", "refunded"] },
          orderId: { type: "string", max: 80 },
          transactionId: { type: "string", max: 64 },
          amount: { type: "number", integer: true, min: 0, max: Number.MAX_SAFE_INTEGER },
        },
      },
    },
  },
  reconcile: {
    date,
    handedIn: { type: "array", max: 3, optional: true, items: { type: "object", props: { channel, lines: count } } },
    operator,
  },
  refund: { orderId, reason, operator },
  release: { orderId, reason, operator },
} as const;
