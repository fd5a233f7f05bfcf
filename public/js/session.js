/**
 * Who this window is. The token lives in the window's own storage and goes out as a Bearer header: the login cookie is
 * shared by all windows of a browser, and two windows here may be two people.
 */
const KEPT_AS = "ovation.session";
const changes = new EventTarget();
let session = restore();

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS)) ?? undefined;
  } catch {
    return undefined;
  }
}

export function sessionToken() {
  return session?.token;
}

export function openSession({ token, userId }) {
  replace({ token, userId: String(userId) });
}

/** @param {boolean} [expired] the server knows the token no more, the person did not ask to leave */
export function closeSession(expired = false) {
  if (session) replace(undefined, expired);
}

/** @param {(event: CustomEvent<{expired: boolean}>) => void} listener */
export function onSessionChange(listener) {
  changes.addEventListener("change", listener);
}

function replace(next, expired = false) {
  session = next;
  try {
    if (next) sessionStorage.setItem(KEPT_AS, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT_AS);
  } catch {
    // storage may be forbidden; the session then lasts for the page
  }
  changes.dispatchEvent(new CustomEvent("change", { detail: { expired } }));
}
