import type { Service, ServiceBroker } from "moleculer";
import { config } from "../../../config/config.ts";
import { call } from "../../../services/contracts.ts";
import { type CashierNotice, signedHeaders } from "../../../services/payment/cashier/cashier-notice.ts";
import type { NoticeAnswer } from "../../../services/payment/payment.contract.ts";
import payment, { type PaymentState } from "../../../services/payment/payment.service.ts";
import { startNode } from "../../support/system.ts";

export type PaymentNode = Service & PaymentState;

/** A node with the payment service, and the service for looking into its tables. */
export async function startPayment(label: string): Promise<{ broker: ServiceBroker; service: PaymentNode }> {
  const broker = await startNode(label, [payment]);
  return { broker, service: broker.getLocalService("payment") as PaymentNode };
}

/** An order of product 6 (3000 fen, 300 coins) at the cashier. */
export function makeOrder(from: ServiceBroker, userId = "42") {
  return call(from, "payment.pay", { userId, productId: 6, paySource: 1, payChannel: 3 });
}

/** What the cashier would say of an order, with changes. */
export function cashierSays(orderId: string, changes: Partial<CashierNotice> = {}): CashierNotice {
  return {
    noticeId: `notice-of-${orderId}`.slice(0, 64),
    orderId,
    transactionId: `t-${orderId}`,
    merchant: "ovation-sandbox",
    amount: 3_000,
    currency: "CNY",
    status: "PAID",
    time: "2030-01-02T03:04:05.678Z",
    ...changes,
  };
}

/** Sends a notice as the gateway would hand it on; `headers` and `body` may differ from what was signed. */
export async function sendNotice(
  from: ServiceBroker,
  notice: unknown,
  tampered: { headers?: Record<string, string>; body?: string } = {},
): Promise<NoticeAnswer> {
  const body = JSON.stringify(notice);
  const headers = tampered.headers ?? signedHeaders(config().CASHIER_SECRET as string, body);
  const raw = { body: tampered.body ?? body, headers, query: {}, ip: "127.0.0.1" };
  const answer = await call(from, "payment.notice", { channel: "cashier", ...raw });
  if (!answer) throw new Error("the cashier is closed");
  return answer;
}

/** Everything the outbox has or had to send for an order, as `subject`s in the order they were written. */
export async function messagesOf({ mysql }: PaymentNode, orderId: string): Promise<string[]> {
  const rows = await mysql.query<{ subject: string }>("SELECT subject FROM t_outbox WHERE order_key = ? ORDER BY id", [
    orderId,
  ]);
  return rows.map(({ subject }) => subject);
}

export async function noticesOf({ mysql }: PaymentNode, orderId: string) {
  return mysql.query<{ outcome: string; reason: string; body: string }>(
    "SELECT outcome, reason, body FROM t_pay_notice WHERE order_id = ? ORDER BY id",
    [orderId],
  );
}

export async function orderRow({ mysql }: PaymentNode, orderId: string) {
  const [row] = await mysql.query<Record<string, unknown>>("SELECT * FROM t_pay_order WHERE order_id = ?", [orderId]);
  return row;
}

/** What stands in the book of marks about an order, oldest first. */
export async function marksOf({ mysql }: PaymentNode, orderId: string): Promise<string[]> {
  const rows = await mysql.query<{ reason: string }>(
    "SELECT reason FROM t_pay_parked WHERE order_id = ? ORDER BY create_time, reason",
    [orderId],
  );
  return rows.map(({ reason }) => reason);
}
