import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { apiUrl } from "./client.ts";

/** The sandbox cashier's notices, made and signed here: what a provider, or somebody who plays one, may send. */

export interface Notice {
  noticeId: string;
  orderId: string;
  transactionId: string;
  merchant: string;
  amount: number;
  currency: string;
  status: string;
  time: string;
}

/** A genuine notice of a payment in full; `amount` is fen. */
export function paidNotice(orderId: string, amount: number, over: Partial<Notice> = {}): Notice {
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

export interface NoticeReply {
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

/** Signs a notice as the cashier does and delivers it. */
export async function deliverNotice(notice: Notice, { secret, age, tampered }: Signing = {}): Promise<NoticeReply> {
  const body = JSON.stringify(notice);
  const headers = cashierSignature(secret ?? process.env.CASHIER_SECRET ?? "", body, age);
  return sendNotice("cashierNotify", tampered ?? body, headers);
}

/** Sends a body to a notify path as it is. */
export async function sendNotice(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<NoticeReply> {
  const response = await fetch(`${apiUrl()}/live/bank/payNotify/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: response.status, ...((await response.json()) as { result: string; reason?: string }) };
}
