import { limits } from "../../config/limits.ts";
import type { RawWebhook } from "./payment.contract.ts";
import type { Outcome, ProviderReport } from "./providers/report.ts";

/** A row of t_pay_webhook. */
export interface WebhookRecord extends Pick<Outcome, "outcome" | "reason"> {
  readonly channel: string;
  readonly webhookId: string | null;
  readonly orderId: string | null;
  readonly transactionId: string | null;
  readonly amount: number | null;
  readonly body: string;
  readonly ip: string;
  readonly requestId: string | null;
}

/**
 * `name=value` and `"name":"value"` of every field that is a proof or a secret. The repetitions are bounded, so that no
 * body can make the search slow.
 */
const secretField =
  /("?(?:[a-z_]{0,20}(?:sign|signature|secret|token|key)|password|ciphertext|auth[a-z_]{0,20}|buyer_[a-z_]{0,20}|phone|mobile)"?\s{0,4}[=:]\s{0,4})("(?:[^"\\]|\\.)*"?|[^&\s,}"]+)/gi;

/** The beginning of a body that anybody may have sent, with secrets masked and control characters removed. */
export function excerpt(body: string): string {
  // A mask needs the whole value, so more text is searched than is kept.
  return body
    .slice(0, limits.payment.webhookExcerptChars * 4)
    .replace(secretField, "$1***")
    .replace(/\p{C}/gu, " ")
    .slice(0, limits.payment.webhookExcerptChars);
}

export function recordOf(
  channel: string,
  raw: RawWebhook,
  report: ProviderReport | null,
  { outcome, reason }: Outcome,
  requestId: string | null,
): WebhookRecord {
  return {
    channel,
    outcome,
    reason: reason.slice(0, limits.payment.reasonChars),
    webhookId: report?.webhookId ?? null,
    orderId: report?.orderId ?? null,
    transactionId: report?.transactionId ?? null,
    amount: report?.amount ?? null,
    body: excerpt(raw.body),
    ip: raw.ip,
    requestId,
  };
}
