import { randomBytes, randomUUID } from "node:crypto";
import type { Database } from "../../../mixins/mysql/database.ts";
import type { RawWebhook } from "../../../services/payment/payment.contract.ts";
import { cashierSignature, paidWebhook } from "../cashier-webhooks.ts";

interface Trade {
  /** Fen. */
  readonly total: number;
  readonly transactionId: string;
}

/** How a webhook differs from the genuine one. */
export interface CashierForgery {
  /** Seconds that the signature is old. */
  age?: number;
  content?: Record<string, unknown>;
  /** Signs with a secret that is not the cashier's. */
  foreignKey?: boolean;
  /** Changes the body after it was signed. */
  tamper?: (body: string) => string;
}

/**
 * The sandbox cashier for tests, whose webhooks are sent when the test says so; written from its documented format, not
 * from our cashier. What is asked of the cashier is answered by the real one's book, in which this one pays.
 */
export class CashierSimulator {
  readonly trades = new Map<string, Trade>();
  /** Where the cashier has its book: the payment service's database. */
  book!: Database;
  private readonly secret = randomBytes(24).toString("hex");

  get settings(): Record<string, string> {
    return { CASHIER_SECRET: this.secret };
  }

  /** The payer opens the page. */
  open(orderId: string, total: number): void {
    if (!this.trades.has(orderId)) this.trades.set(orderId, { total, transactionId: `sandbox-${randomUUID()}` });
  }

  trade(orderId: string): Trade {
    const trade = this.trades.get(orderId);
    if (!trade) throw new Error(`no trade ${orderId}`);
    return trade;
  }

  /** The payer pays, where that is still possible; nothing is sent yet. */
  async pay(orderId: string): Promise<boolean> {
    const { affectedRows } = await this.book.run(
      `UPDATE t_cashier_payment SET action = 'pay', press_time = UTC_TIMESTAMP(3), transaction_id = ?
       WHERE order_id = ? AND action IS NULL`,
      [this.trade(orderId).transactionId, orderId],
    );
    return affectedRows === 1;
  }

  /** The webhook of a payment, signed now. */
  paidWebhook(orderId: string, forgery: CashierForgery = {}): RawWebhook {
    return this.webhook(orderId, { status: "PAID" }, forgery);
  }

  /** The webhook of a refund of the payment. */
  refundWebhook(orderId: string, forgery: CashierForgery = {}): RawWebhook {
    return this.webhook(orderId, { status: "REFUNDED", refundAmount: this.trade(orderId).total }, forgery);
  }

  private webhook(orderId: string, says: object, { age = 0, content, foreignKey, tamper }: CashierForgery): RawWebhook {
    const { total, transactionId } = this.trade(orderId);
    const body = JSON.stringify({ ...paidWebhook(orderId, total, { transactionId }), ...says, ...content });
    const secret = foreignKey ? "a-secret-that-is-not-the-cashiers" : this.secret;
    const headers = { "content-type": "application/json", ...cashierSignature(secret, body, age) };
    return { body: tamper ? tamper(body) : body, headers, query: {}, ip: "127.0.0.1" };
  }
}
