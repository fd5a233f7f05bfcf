import { z } from "zod";
import { limits } from "../../../../config/limits.ts";
import { safeParse } from "../../../safe-parse.ts";
import { orderIdOf } from "../../order.ts";
import type { RawWebhook } from "../../payment.contract.ts";
import { fenOf } from "../../yuan.ts";
import { type ProviderReport, WebhookRefused } from "../report.ts";
import { type AlipayAccount, verifyForm } from "./alipay-signature.ts";

const text = z.string().min(1).max(64);

const fieldsSchema = z.object({
  notify_id: z.string().min(1).max(128),
  notify_time: text,
  app_id: text,
  seller_id: text,
  out_trade_no: text,
  trade_no: text,
  trade_status: text,
  total_amount: text,
  refund_fee: text.optional(),
  gmt_payment: text.optional(),
  gmt_refund: text.optional(),
  gmt_close: text.optional(),
});

/** Alipay's times are Beijing time, without a zone. */
export function alipayTime(time: Date): string {
  return new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** @throws WebhookRefused */
export function timeOfAlipay(text: string): Date {
  const [, date, clock] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,3})?$/.exec(text) ?? [];
  const time = new Date(`${date}T${clock}+08:00`);
  if (Number.isNaN(time.getTime())) throw new WebhookRefused("malformed", "a time");
  return time;
}

/** @throws WebhookRefused */
export function fenOfAlipay(text: string): number {
  const fen = fenOf(text);
  if (fen === null || fen <= 0) throw new WebhookRefused("malformed", "an amount");
  return fen;
}

/** The fields of a form; each may occur once. */
function fieldsOf(body: string): Record<string, string> {
  // Without a prototype, since a field named __proto__ is signed like the others.
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(body)) {
    if (name in fields) throw new WebhookRefused("malformed", "a field occurs twice");
    fields[name] = value;
  }
  return fields;
}

type AlipayFields = z.output<typeof fieldsSchema>;

/** A closed trade was cancelled, unless it has a refund: then it was closed by the refund. */
function statusOf({ trade_status, refund_fee }: AlipayFields): ProviderReport["status"] {
  if (refund_fee !== undefined && fenOf(refund_fee) !== 0) return "refunded";
  if (trade_status === "TRADE_SUCCESS" || trade_status === "TRADE_FINISHED") return "paid";
  return trade_status === "TRADE_CLOSED" ? "cancelled" : "other";
}

/**
 * A webhook of Alipay (its "asynchronous notification"). It is fresh for as long as Alipay repeats it, a day and an
 * hour, since a repeat may have the time of the first call. @throws WebhookRefused
 */
export function readAlipayWebhook(account: AlipayAccount, raw: RawWebhook, now: Date): ProviderReport {
  const fields = fieldsOf(raw.body);
  verifyForm(account, fields);
  const parsed = safeParse(fieldsSchema, fields);
  if (!parsed.success) throw new WebhookRefused("malformed", parsed.error.issues[0]?.path.join("."));
  const webhook = parsed.data;
  const age = now.getTime() - timeOfAlipay(webhook.notify_time).getTime();
  if (age > limits.payment.alipayWebhookFreshnessMs || age < -limits.payment.webhookFreshnessMs)
    throw new WebhookRefused("stale");
  if (webhook.app_id !== account.appId || webhook.seller_id !== account.sellerId) throw new WebhookRefused("merchant");
  const status = statusOf(webhook);
  const happened = { paid: webhook.gmt_payment, refunded: webhook.gmt_refund, cancelled: webhook.gmt_close };
  return {
    webhookId: webhook.notify_id.slice(0, 64),
    orderId: orderIdOf(webhook.out_trade_no),
    transactionId: webhook.trade_no,
    amount: fenOfAlipay(webhook.total_amount),
    ...(status === "refunded" ? { refundAmount: fenOfAlipay(webhook.refund_fee as string) } : {}),
    status,
    time: timeOfAlipay(happened[status as keyof typeof happened] ?? webhook.notify_time),
  };
}
