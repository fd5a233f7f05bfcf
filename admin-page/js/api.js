/** One call of the staff's HTTP interface: the answer's data, or an ApiError with a text for the person. */
import { failureOf, noAnswer } from "/js/api-error.js";
import { currentLanguage } from "/js/language.js";
import { closeSession, currentSession, openSession } from "./session.js";

const SESSION = "session";
const TIMEOUT_MS = 20_000;
const SUCCESS = 200;
const FORBIDDEN = 100003;

/**
 * @param {string} path below /live/admin/, such as "user/get"
 * @param {{signal?: AbortSignal}} [options] `signal` of the view that asks: its end drops the request,
 *   and the promise stays open
 * @throws {import("/js/api-error.js").ApiError} where it is not `answered`, the call may have been carried out
 */
export async function call(path, params = {}, { signal } = {}) {
  const asked = currentSession();
  const headers = { "Content-Type": "application/json", "Accept-Language": currentLanguage() };
  if (asked) headers["X-CSRF-Token"] = asked.csrf;
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let response;
  try {
    response = await fetch(`/live/admin/${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(params),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch {
    // Nobody waits for it any more: the view is gone, and nothing of it is to be said in the next one.
    if (signal?.aborted) return new Promise(() => {});
    throw noAnswer();
  }
  const envelope = await response.json().catch(() => undefined);
  if (envelope?.code === SUCCESS) return envelope.data;
  const error = failureOf(response, envelope);
  // The answer to a request of a replaced session does not concern the present one.
  if (error.loggedOut && asked && asked === currentSession()) closeSession(true);
  if (error.code === FORBIDDEN && asked && path !== SESSION) await learnSession(asked);
  throw error;
}

/**
 * All windows of a browser share the cookie: after a login in another one this window's token is another session's, and
 * the person may be another. A role may have changed, too.
 */
async function learnSession(asked) {
  const present = await call(SESSION).catch(() => undefined);
  const same = present && present.csrf === asked.csrf && present.role === asked.role;
  if (present && !same && asked === currentSession()) openSession(present);
}

/** An id of the caller's own: with it the same action can be sent again and is carried out once. */
export function newId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
