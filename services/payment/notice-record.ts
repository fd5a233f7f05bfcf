import { limits } from "../../config/limits.ts";
import type { Parked } from "./order.ts";
import type { RawNotice } from "./payment.contract.ts";
import type { VerifiedNotice } from "./providers/provider.ts";

/** What came of a notice: an audit row (t_pay_notice) and, for the provider, success or not. */
export interface NoticeVerdict {
  /**
   * `applied` changed the order; `repeated` was applied before; `ignored` says nothing that matters any more; `parked`
   * is money that did not go to an order, for an operator; `refused` was not believed. All but the last are final for
   * the provider: it need not call again.
   */
  readonly outcome: "applied" | "repeated" | "ignored" | "parked" | "refused";
  readonly reason: string;
  readonly parked?: Parked;
}

/** Why a notice was not believed. */
export type Refusal =
  | "malformed"
  | "signature"
  | "stale"
  | "merchant"
  | "currency"
  | "amount"
  | "channel"
  | "orderUnknown"
  | "transactionReused";

/** The HTTP status that each refusal is answered with. */
export const refusalStatus: Readonly<Record<Refusal, number>> = Object.freeze({
  malformed: 400,
  signature: 401,
  stale: 401,
  merchant: 400,
  currency: 400,
  amount: 400,
  channel: 400,
  orderUnknown: 404,
  transactionReused: 409,
});

/** Thrown by a provider that does not believe a notice. */
export class NoticeRefused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, detail = "") {
    super(detail ? `${refusal}: ${detail}` : refusal);
    this.refusal = refusal;
  }
}

export interface NoticeRecord extends Pick<NoticeVerdict, "outcome" | "reason"> {
  readonly channel: string;
  readonly noticeId: string | null;
  readonly orderId: string | null;
  readonly transactionId: string | null;
  readonly amount: number | null;
  readonly body: string;
  readonly ip: string;
  readonly requestId: string | null;
}

/**
 * `name=value` and `"name":"value"` of everything that proves or hides something. The repetitions are bounded, so that
 * no body can make the search slow.
 */
const secretField =
  /("?(?:[a-z_]{0,20}(?:sign|signature|secret|token|key)|password|ciphertext|auth[a-z_]{0,20}|buyer_[a-z_]{0,20}|phone|mobile)"?\s{0,4}[=:]\s{0,4})("(?:[^"\\]|\\.)*"?|[^&\s,}"]+)/gi;

/** The beginning of a body that anybody may have sent: secrets masked, control characters gone. */
export function excerpt(body: string): string {
  // A mask needs the whole value in sight, so more is looked at than is kept.
  return body
    .slice(0, limits.payment.noticeExcerptChars * 4)
    .replace(secretField, "$1***")
    .replace(/\p{C}/gu, " ")
    .slice(0, limits.payment.noticeExcerptChars);
}

export function recordOf(
  channel: string,
  raw: RawNotice,
  verified: VerifiedNotice | null,
  { outcome, reason }: NoticeVerdict,
  requestId: string | null,
): NoticeRecord {
  return {
    channel,
    outcome,
    reason: reason.slice(0, limits.payment.reasonChars),
    noticeId: verified?.noticeId ?? null,
    orderId: verified?.orderId ?? null,
    transactionId: verified?.transactionId ?? null,
    amount: verified?.amount ?? null,
    body: excerpt(raw.body),
    ip: raw.ip,
    requestId,
  };
}
