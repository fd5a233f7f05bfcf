import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { apiUrl } from "./client.ts";

/** The sandbox cashier's webhooks, made and signed here: what a provider, or somebody who plays one, may send. */

export interface CashierWebhook {
  noticeId: string;
  orderId: string;
  transactionId: string;
  merchant: string;
  amount: number;
  currency: string;
  status: string;
  time: string;
}

/** A genuine webhook of a payment in full; `amount` is fen. */
export function paidWebhook(orderId: string, amount: number, over: Partial<CashierWebhook> = {}): CashierWebhook {
  return {
    noticeId: randomUUID(),
    orderId,
    transactionId: `tx-${randomUUID()}`,
    merchant: "ovation-sandbox",
    amount,
    currency: "CNY",
    status: "PAID",
    time: new Date().toISOString(),
    ...over,
  };
}

interface Signing {
  secret?: string;
  /** Seconds that the signature is old. */
  age?: number;
  /** Sent in place of what was signed. */
  tampered?: string;
}

export interface WebhookReply {
  status: number;
  result: string;
  reason?: string;
}

/** The headers with which the cashier proves a body; `age` in seconds. */
export function cashierSignature(secret: string, body: string, age = 0): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000) - age);
  const nonce = randomBytes(16).toString("hex");
  return {
    "x-cashier-timestamp": timestamp,
    "x-cashier-nonce": nonce,
    "x-cashier-signature": createHmac("sha256", secret).update(`${timestamp}\n${nonce}\n${body}\n`).digest("hex"),
  };
}

/** Signs a webhook as the cashier does and delivers it. */
export async function deliverWebhook(
  webhook: CashierWebhook,
  { secret, age, tampered }: Signing = {},
): Promise<WebhookReply> {
  const body = JSON.stringify(webhook);
  const headers = cashierSignature(secret ?? process.env.CASHIER_SECRET ?? "", body, age);
  return sendWebhook("cashierNotify", tampered ?? body, headers);
}

/** Sends a body to a notify path as it is. */
export async function sendWebhook(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<WebhookReply> {
  const response = await fetch(`${apiUrl()}/live/bank/payNotify/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: response.status, ...((await response.json()) as { result: string; reason?: string }) };
}
