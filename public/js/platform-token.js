/**
 * A platform sends its users here with their JWT in the address: #token=JWT, or #token=JWT&view=/room/17. The part after
 * the # is not sent to any server. The token is removed from the address at once, so that nobody copies it. Anybody can
 * make such a link with a token of his own: a session of another user ends only where the person agrees.
 */
import { confirmDialog } from "./dialog.js";
import { openSession, sessionToken } from "./session.js";

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const VIEW = /^\/[\w/-]*$/;

/** Whether this window has the session of the address now. It asks first where another user's session is open. */
export function takeToken() {
  if (!location.hash.startsWith("#token=")) return false;
  const given = new URLSearchParams(location.hash.slice(1));
  const view = given.get("view") ?? "";
  const { pathname, search } = location;
  history.replaceState(null, "", `${pathname}${search}#${VIEW.test(view) ? view : "/rooms"}`);
  const token = given.get("token") ?? "";
  if (!JWT.test(token)) return false;
  const running = sessionToken();
  if (running && !isSameUser(running, token)) {
    askFor(token);
    return false;
  }
  openSession({ token, platform: true });
  return true;
}

async function askFor(token) {
  const ask = { title: "switchTitle", question: "switchQuestion", yes: "switchYes", testid: "switch-user" };
  if (await confirmDialog(ask)) openSession({ token, platform: true });
}

function isSameUser(one, other) {
  const user = userIn(one);
  return user !== undefined && user === userIn(other);
}

/** Issuer and subject of a JWT; undefined where it names no subject. Tokens of this server are no JWTs. */
function userIn(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { iss, sub } = JSON.parse(atob(payload));
    return typeof sub === "string" ? JSON.stringify([iss, sub]) : undefined;
  } catch {
    return undefined;
  }
}
