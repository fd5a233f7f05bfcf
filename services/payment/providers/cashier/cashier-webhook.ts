import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { limits } from "../../../../config/limits.ts";
import { safeParse } from "../../../safe-parse.ts";
import type { RawWebhook } from "../../payment.contract.ts";
import { type ProviderReport, WebhookRefused } from "../report.ts";
import type { CollectionCall } from "./collection.ts";

/** The merchant's name at the sandbox cashier. */
const cashierMerchant = "ovation-sandbox";

const bodySchema = z
  .object({
    noticeId: z.string().min(1).max(64),
    orderId: z.string().min(1).max(64),
    transactionId: z.string().min(1).max(64),
    merchant: z.string().max(64),
    amount: z.int().positive(),
    currency: z.string().max(8),
    status: z.enum(["PAID", "CANCELLED", "REFUNDED"]),
    /** Only for REFUNDED: the fen that were refunded so far, e.g. by the payer's bank. */
    refundAmount: z.int().positive().optional(),
    time: z.iso.datetime(),
  })
  .refine(({ status, refundAmount }) => (status === "REFUNDED") === (refundAmount !== undefined));

export type CashierWebhook = z.output<typeof bodySchema>;

/** The body of the call: the same in every repeat. */
export function webhookBody(call: CollectionCall): string {
  const webhook: CashierWebhook = {
    noticeId: call.noticeId,
    orderId: call.orderId,
    transactionId: call.transactionId,
    merchant: cashierMerchant,
    amount: call.amount,
    currency: "CNY",
    status: call.action === "pay" ? "PAID" : "CANCELLED",
    time: call.pressTime.toISOString(),
  };
  return JSON.stringify(webhook);
}

function signature(secret: string, timestamp: string, nonce: string, body: string): Buffer {
  return createHmac("sha256", secret).update(`${timestamp}\n${nonce}\n${body}\n`).digest();
}

/**
 * The headers that authenticate a body of the cashier: Unix seconds, a nonce, and HMAC-SHA256 in hex over both and the
 * body.
 */
export function signedHeaders(secret: string, body: string, now = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const nonce = randomBytes(16).toString("hex");
  return {
    "x-cashier-timestamp": timestamp,
    "x-cashier-nonce": nonce,
    "x-cashier-signature": signature(secret, timestamp, nonce, body).toString("hex"),
  };
}

/**
 * Verifies that the body is the cashier's and was signed recently. Header names are in lower case. @throws
 * WebhookRefused
 */
export function verifySignature(secret: string, headers: Record<string, string>, body: string, now: number): void {
  const timestamp = headers["x-cashier-timestamp"] ?? "";
  const nonce = headers["x-cashier-nonce"] ?? "";
  const given = headers["x-cashier-signature"] ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || !/^[\w-]{8,64}$/.test(nonce) || !/^[0-9a-f]{64}$/.test(given))
    throw new WebhookRefused("signature", "headers missing or malformed");
  if (!timingSafeEqual(Buffer.from(given, "hex"), signature(secret, timestamp, nonce, body)))
    throw new WebhookRefused("signature");
  if (Math.abs(now - Number(timestamp) * 1_000) > limits.payment.webhookFreshnessMs) throw new WebhookRefused("stale");
}

/** @throws WebhookRefused */
export function parseWebhook(body: string): CashierWebhook {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new WebhookRefused("malformed", "not JSON");
  }
  const parsed = safeParse(bodySchema, json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new WebhookRefused("malformed", `${issue?.path.join(".")} ${issue?.code}`);
}

const status = { PAID: "paid", CANCELLED: "cancelled", REFUNDED: "refunded" } as const;

/**
 * A webhook of the cashier: signature and freshness of the body as it came, then its content.
 * @throws WebhookRefused
 */
export function readCashierWebhook(secret: string, raw: RawWebhook, now: Date): ProviderReport {
  verifySignature(secret, raw.headers, raw.body, now.getTime());
  const webhook = parseWebhook(raw.body);
  if (webhook.merchant !== cashierMerchant) throw new WebhookRefused("merchant");
  if (webhook.currency !== "CNY") throw new WebhookRefused("currency");
  return {
    webhookId: webhook.noticeId,
    orderId: webhook.orderId,
    transactionId: webhook.transactionId,
    amount: webhook.amount,
    status: status[webhook.status],
    refundAmount: webhook.refundAmount,
    time: new Date(webhook.time),
  };
}
