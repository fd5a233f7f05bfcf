/**
 * Who is logged in. The session itself is in a cookie that no script can read; the page knows the person and the token
 * against forged requests, and only as long as it is open.
 */
const changes = new EventTarget();
let session;

/** @returns {{name: string, role: string, rights: string[], csrf: string, expiresTime: string} | undefined} */
export function currentSession() {
  return session;
}

/** What the login answers beside these, the token above all, is not kept. */
export function openSession({ name, role, rights, csrf, expiresTime }) {
  replace({ name, role, rights, csrf, expiresTime }, false);
}

/** @param {boolean} [expired] the server does not know the session any more; the person did not log out */
export function closeSession(expired = false) {
  if (session) replace(undefined, expired);
}

/** @param {(event: CustomEvent<{expired: boolean}>) => void} listener */
export function onSessionChange(listener) {
  changes.addEventListener("change", listener);
}

/**
 * Whether the person may; without a right everybody who is logged in may. It decides what is shown: the server decides
 * what is done.
 */
export function hasRight(right) {
  return right === undefined || (session?.rights.includes(right) ?? false);
}

function replace(next, expired) {
  session = next;
  changes.dispatchEvent(new CustomEvent("change", { detail: { expired } }));
}
