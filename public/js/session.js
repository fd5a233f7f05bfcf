/**
 * The session of this window. The token is in the window's own storage and is sent as a Bearer header: all windows of a
 * browser share the login cookie, and two windows may have two users.
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

/** @param {{token: string, platform?: boolean}} opened `platform`: the token is a platform's, not one of this server */
export function openSession({ token, platform = false }) {
  replace({ token, platform });
}

/** Whether the user came from a platform, also where the session is over. */
export function isOfPlatform() {
  return session?.platform === true;
}

/** @param {boolean} [expired] the server does not know the token any more; the user did not log out */
export function closeSession(expired = false) {
  if (session?.token) replace(session.platform ? { platform: true } : undefined, expired);
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
