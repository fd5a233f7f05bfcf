import type { Service, ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import type { WebhookAnswer } from "../../../services/payment/payment.contract.ts";
import payment from "../../../services/payment/payment.service.ts";
import type { PaymentState } from "../../../services/payment/payment-state.ts";
import { type CashierWebhook, signedHeaders } from "../../../services/payment/providers/cashier/cashier-webhook.ts";
import { startNode } from "../../support/system.ts";

// For each file that imports this: on a slow machine several of a test's waits of 30 s may be long.
jest.setTimeout(120_000);

export type PaymentNode = Service & PaymentState;

/** A node with the payment service, and the service for looking into its tables. */
export async function startPayment(label: string): Promise<{ broker: ServiceBroker; service: PaymentNode }> {
  const broker = await startNode(label, [payment]);
  return { broker, service: broker.getLocalService("payment") as PaymentNode };
}

const jobs = ["open-orders", "open-refunds", "lost-messages", "uncredited-orders"];

/** Gives the leases of all maintenance jobs to a holder for `ms`: no other node does that work. */
export async function leaseJobs({ mysql }: PaymentNode, holder: string, ms: number): Promise<void> {
  for (const job of jobs)
    await mysql.run(
      `INSERT INTO t_lease (name, holder, until_time) VALUES (?, ?, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND)
       ON DUPLICATE KEY UPDATE holder = VALUES(holder), until_time = VALUES(until_time)`,
      [job, holder, ms * 1_000],
    );
}

/** Lets any node take the maintenance jobs. */
export async function freeJobs(payment: PaymentNode): Promise<void> {
  await leaseJobs(payment, "", 0);
}

/** Lets the maintenance jobs of a node check what is due, where it has the lease. */
export function wakeJobs({ maintenance }: PaymentNode): void {
  for (const job of Object.values(maintenance ?? {})) job.wake();
}

/** An order of product 6 (3000 fen, 300 coins) at the cashier. */
export function makeOrder(from: ServiceBroker, userId = "42") {
  return call(from, "payment.pay", { userId, productId: 6, paySource: 1, payChannel: 3 });
}

/** The webhook of the cashier about an order, with changes. */
export function cashierWebhook(orderId: string, changes: Partial<CashierWebhook> = {}): CashierWebhook {
  return {
    noticeId: `webhook-of-${orderId}`.slice(0, 64),
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

/** How long a webhook may wait here: many of one order queue for its row. */
export const webhookTimeoutMs = 25_000;

/** Sends a webhook as the gateway would hand it on; `headers` and `body` may differ from what was signed. */
export async function sendWebhook(
  from: ServiceBroker,
  webhook: unknown,
  tampered: { headers?: Record<string, string>; body?: string } = {},
): Promise<WebhookAnswer> {
  const body = JSON.stringify(webhook);
  const headers = tampered.headers ?? signedHeaders(process.env.CASHIER_SECRET as string, body);
  const raw = { body: tampered.body ?? body, headers, query: {}, ip: "127.0.0.1" };
  const answer = await call(from, "payment.webhook", { channel: "cashier", ...raw }, { timeout: webhookTimeoutMs });
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

export async function webhooksOf({ mysql }: PaymentNode, orderId: string) {
  return mysql.query<{ outcome: string; reason: string; body: string }>(
    "SELECT outcome, reason, body FROM t_pay_webhook WHERE order_id = ? ORDER BY id",
    [orderId],
  );
}

export async function orderRow({ mysql }: PaymentNode, orderId: string) {
  const [row] = await mysql.query<Record<string, unknown>>("SELECT * FROM t_pay_order WHERE order_id = ?", [orderId]);
  return row;
}

/** The marks of an order, oldest first. */
export async function marksOf({ mysql }: PaymentNode, orderId: string): Promise<string[]> {
  const rows = await mysql.query<{ reason: string }>(
    "SELECT reason FROM t_pay_parked WHERE order_id = ? ORDER BY create_time, reason",
    [orderId],
  );
  return rows.map(({ reason }) => reason);
}
