import { z } from "zod";
import { limits } from "../../../../config/limits.ts";
import { safeParse } from "../../../safe-parse.ts";
import { NoticeRefused } from "../../notice-record.ts";
import { orderIdOf } from "../../order.ts";
import type { RawNotice } from "../../payment.contract.ts";
import { fenOf } from "../../yuan.ts";
import type { VerifiedNotice } from "../provider.ts";
import { type AlipayAccount, verifyForm } from "./alipay-signature.ts";

const text = z.string().min(1).max(64);

const noticeSchema = z.object({
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

/** Alipay's times are Beijing's, without saying so. */
export function alipayTime(time: Date): string {
  return new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** @throws NoticeRefused */
export function timeOfAlipay(text: string): Date {
  const [, date, clock] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,3})?$/.exec(text) ?? [];
  const time = new Date(`${date}T${clock}+08:00`);
  if (Number.isNaN(time.getTime())) throw new NoticeRefused("malformed", "a time");
  return time;
}

/** @throws NoticeRefused */
export function fenOfAlipay(text: string): number {
  const fen = fenOf(text);
  if (fen === null || fen <= 0) throw new NoticeRefused("malformed", "an amount");
  return fen;
}

/** The fields of a form, each of which may stand there once. */
function fieldsOf(body: string): Record<string, string> {
  // Without a prototype: a field called __proto__ is one of those that the signature is over.
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(body)) {
    if (name in fields) throw new NoticeRefused("malformed", "a field is there twice");
    fields[name] = value;
  }
  return fields;
}

type AlipayNotice = z.output<typeof noticeSchema>;

/** A trade that closes was cancelled, unless money went back: then it closes for that. */
function saysOf({ trade_status, refund_fee }: AlipayNotice): VerifiedNotice["says"] {
  if (refund_fee !== undefined && fenOf(refund_fee) !== 0) return "refunded";
  if (trade_status === "TRADE_SUCCESS" || trade_status === "TRADE_FINISHED") return "paid";
  return trade_status === "TRADE_CLOSED" ? "cancelled" : "other";
}

/**
 * An asynchronous notice of Alipay. It is fresh for as long as Alipay repeats it, a day and an hour: a repeat may carry
 * the time of the first call.
 * @throws NoticeRefused
 */
export function readAlipayNotice(account: AlipayAccount, raw: RawNotice, now: Date): VerifiedNotice {
  const fields = fieldsOf(raw.body);
  verifyForm(account, fields);
  const parsed = safeParse(noticeSchema, fields);
  if (!parsed.success) throw new NoticeRefused("malformed", parsed.error.issues[0]?.path.join("."));
  const notice = parsed.data;
  const age = now.getTime() - timeOfAlipay(notice.notify_time).getTime();
  if (age > limits.payment.alipayNoticeFreshnessMs || age < -limits.payment.noticeFreshnessMs)
    throw new NoticeRefused("stale");
  if (notice.app_id !== account.appId || notice.seller_id !== account.sellerId) throw new NoticeRefused("merchant");
  const says = saysOf(notice);
  const happened = { paid: notice.gmt_payment, refunded: notice.gmt_refund, cancelled: notice.gmt_close };
  return {
    noticeId: notice.notify_id.slice(0, 64),
    orderId: orderIdOf(notice.out_trade_no),
    transactionId: notice.trade_no,
    amount: fenOfAlipay(notice.total_amount),
    ...(says === "refunded" ? { refundAmount: fenOfAlipay(notice.refund_fee as string) } : {}),
    says,
    time: timeOfAlipay(happened[says as keyof typeof happened] ?? notice.notify_time),
  };
}
