/**
 * One call of the HTTP interface. It opens the envelope {code, msg, data} and turns every failure into one kind of
 * error.
 */
import { currentLanguage, translate } from "./language.js";
import { closeSession, sessionToken } from "./session.js";

const TIMEOUT_MS = 15_000;
const SUCCESS = 200;
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

export async function post(path, params = {}) {
  const token = sessionToken();
  const response = await reach(path, params, token);
  const envelope = await response.json().catch(() => undefined);
  if (envelope?.code === SUCCESS) return envelope.data;
  const error = failure(response, envelope);
  // The answer to a request with a replaced token does not concern the present token.
  if (error.loggedOut && token !== undefined && token === sessionToken()) closeSession(true);
  throw error;
}

async function reach(path, params, token) {
  const headers = { "Content-Type": "application/json", "Accept-Language": currentLanguage() };
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    return await fetch(path, {
      method: "POST",
      headers,
      body: JSON.stringify(params),
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError({ code: "network", message: translate("failNetwork"), retryable: true });
  }
}

function failure(response, envelope) {
  const code = envelope?.code ?? response.status;
  const retryAfterMs = secondsOf(response.headers.get("Retry-After"))?.ms;
  const message = waitText(envelope?.msg || fallbackText(response.status, code), retryAfterMs);
  // 429 limits the user's rate: an automatic repeat would make it worse.
  const retryable = response.status === 503 || response.status === 502 || response.status === 504;
  const answered = isAnswer(response, envelope);
  return new ApiError({ code, message, retryable, answered, retryAfterMs, orderId: envelope?.data?.orderId });
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
