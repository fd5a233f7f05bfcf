/**
 * A platform sends its users here with their JWT in the address: #token=JWT, or #token=JWT&view=/room/17. The part after
 * the # is not sent to any server. The token is removed from the address at once, so that nobody copies it.
 */
import { openSession } from "./session.js";

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const VIEW = /^\/[\w/-]*$/;

/** Whether the address had a session for this window. */
export function takeToken() {
  if (!location.hash.startsWith("#token=")) return false;
  const given = new URLSearchParams(location.hash.slice(1));
  const view = given.get("view") ?? "";
  const { pathname, search } = location;
  history.replaceState(null, "", `${pathname}${search}#${VIEW.test(view) ? view : "/rooms"}`);
  const token = given.get("token") ?? "";
  if (!JWT.test(token)) return false;
  openSession({ token, platform: true });
  return true;
}
