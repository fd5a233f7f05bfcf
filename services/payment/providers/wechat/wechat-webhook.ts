import { z } from "zod";
import { safeParse } from "../../../safe-parse.ts";
import { orderIdOf } from "../../order.ts";
import type { RawWebhook } from "../../payment.contract.ts";
import { type ProviderReport, WebhookRefused } from "../report.ts";
import { decryptResource, verifyWechat, type WechatAccount } from "./wechat-signature.ts";

const text = z.string().min(1).max(64);
const time = z.iso.datetime({ offset: true });
const fen = z.int().positive();

const envelopeSchema = z.object({
  id: text,
  event_type: text,
  resource: z.object({
    algorithm: z.literal("AEAD_AES_256_GCM"),
    ciphertext: z.string().min(1).max(65_536),
    nonce: z.string().min(8).max(32),
    associated_data: z.string().max(64).optional(),
  }),
});

/** A payment, as in webhooks and in the answer to a query. Fields that only a paid one has are optional. */
export const wechatOrderSchema = z.object({
  mchid: text,
  appid: text.optional(),
  out_trade_no: text,
  trade_state: text,
  transaction_id: text.optional(),
  success_time: time.optional(),
  amount: z.object({ total: fen, currency: text.default("CNY") }).optional(),
});
type WechatOrder = z.output<typeof wechatOrderSchema>;

const refundSchema = z.object({
  mchid: text,
  out_trade_no: text,
  transaction_id: text,
  out_refund_no: text,
  refund_id: text,
  refund_status: text,
  success_time: time.optional(),
  amount: z.object({ total: fen, refund: fen }),
});

/** @throws WebhookRefused */
export function parseJson<T>(schema: z.ZodType<T>, body: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new WebhookRefused("malformed", "not JSON");
  }
  const parsed = safeParse(schema, json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new WebhookRefused("malformed", `${issue?.path.join(".")} ${issue?.code}`);
}

/** @throws WebhookRefused where a payment is of another merchant, another app or another currency. */
export function requireOwn(account: WechatAccount, order: WechatOrder): void {
  if (order.mchid !== account.mchId || (order.appid !== undefined && order.appid !== account.appId))
    throw new WebhookRefused("merchant");
  if (order.amount && order.amount.currency !== "CNY") throw new WebhookRefused("currency");
}

function paymentReport(account: WechatAccount, webhookId: string, plain: string): ProviderReport {
  const order = parseJson(wechatOrderSchema, plain);
  requireOwn(account, order);
  if (order.appid === undefined) throw new WebhookRefused("merchant", "no appid");
  const { transaction_id: transactionId, success_time: paid, amount } = order;
  if (!transactionId || !amount || !paid)
    throw new WebhookRefused("malformed", "transaction_id, amount or success_time");
  const status = order.trade_state === "SUCCESS" ? "paid" : "other";
  return {
    webhookId,
    orderId: orderIdOf(order.out_trade_no),
    transactionId,
    amount: amount.total,
    status,
    time: new Date(paid),
  };
}

const refundStatus: Readonly<Record<string, ProviderReport["status"]>> = {
  SUCCESS: "refunded",
  CLOSED: "refundFailed",
  ABNORMAL: "refundFailed",
};

function refundReport(account: WechatAccount, webhookId: string, plain: string, now: Date): ProviderReport {
  const refund = parseJson(refundSchema, plain);
  if (refund.mchid !== account.mchId) throw new WebhookRefused("merchant");
  return {
    webhookId,
    orderId: orderIdOf(refund.out_trade_no),
    transactionId: refund.transaction_id,
    amount: refund.amount.total,
    refundAmount: refund.amount.refund,
    status: refundStatus[refund.refund_status] ?? "other",
    time: refund.success_time ? new Date(refund.success_time) : now,
  };
}

/**
 * A webhook of WeChat Pay v3: first signature and freshness of the received body, then its encrypted content. @throws
 * WebhookRefused
 */
export function readWechatWebhook(account: WechatAccount, raw: RawWebhook, now: Date): ProviderReport {
  verifyWechat(account, raw.headers, raw.body, now.getTime());
  const envelope = parseJson(envelopeSchema, raw.body);
  const plain = decryptResource(account.apiV3Key, envelope.resource);
  if (envelope.event_type.startsWith("REFUND.")) return refundReport(account, envelope.id, plain, now);
  if (envelope.event_type.startsWith("TRANSACTION.")) return paymentReport(account, envelope.id, plain);
  throw new WebhookRefused("malformed", "an event of another kind");
}
