/**
 * One call of the HTTP interface. It opens the envelope {code, msg, data} and turns every failure into one kind of
 * error.
 */
import { failureOf, noAnswer } from "./api-error.js";
import { currentLanguage } from "./language.js";
import { closeSession, sessionToken } from "./session.js";

const TIMEOUT_MS = 15_000;
const SUCCESS = 200;

export async function post(path, params = {}) {
  const token = sessionToken();
  const response = await reach(path, params, token);
  const envelope = await response.json().catch(() => undefined);
  if (envelope?.code === SUCCESS) return envelope.data;
  const error = failureOf(response, envelope);
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
    throw noAnswer();
  }
}
