/** Failures of the HTTP interface: what an answer, or none, says of a request, and the text for the person. */
import { translate } from "./language.js";

const NOT_LOGGED_IN = 100002;

export class ApiError extends Error {
  /**
   * @param {{code: number | "network", message: string, retryable?: boolean, answered?: boolean, retryAfterMs?: number,
   * orderId?: string}} details `orderId` of a request that may have been carried out all the same, as one may that was
   * not `answered`
   */
  constructor({ code, message, retryable = false, answered = false, retryAfterMs, orderId }) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.retryable = retryable;
    this.answered = answered;
    this.retryAfterMs = retryAfterMs;
    this.orderId = orderId;
  }

  get loggedOut() {
    return this.code === NOT_LOGGED_IN;
  }
}

/** @param {{code?: number, msg?: string, data?: object}} [envelope] the answer's body, where it was one */
export function failureOf(response, envelope) {
  const code = envelope?.code ?? response.status;
  const retryAfterMs = secondsOf(response.headers.get("Retry-After"))?.ms;
  const message = waitText(envelope?.msg || fallbackText(response.status, code), retryAfterMs);
  // 429 limits the user's rate: an automatic repeat would make it worse.
  const retryable = response.status === 503 || response.status === 502 || response.status === 504;
  const answered = isAnswer(response, envelope);
  return new ApiError({ code, message, retryable, answered, retryAfterMs, orderId: envelope?.data?.orderId });
}

/** No answer came: the request may have been carried out all the same. */
export function noAnswer() {
  return new ApiError({ code: "network", message: translate("failNetwork"), retryable: true });
}

/** Whether the answer shows the outcome of the request: a gateway's, or a proxy's refusal. A fault, 500, does not. */
function isAnswer({ ok, status }, envelope) {
  if (status >= 400 && status < 500) return status !== 408;
  return Number.isInteger(envelope?.code) && (ok || status === 503);
}

function secondsOf(header) {
  const seconds = Number.parseInt(header ?? "", 10);
  return seconds > 0 && seconds < 3_600 ? { ms: seconds * 1_000 } : undefined;
}

function fallbackText(status, code) {
  if (status === 429) return translate("failTooMany");
  if (status >= 502 && status <= 504) return translate("failBusy");
  return translate("failUnknown", { code });
}

function waitText(msg, retryAfterMs) {
  return retryAfterMs ? translate("failRetryAfter", { msg, n: Math.ceil(retryAfterMs / 1_000) }) : msg;
}
