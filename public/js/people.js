/**
 * Faces and names. Users' pictures may be on any server, and the page loads nothing from elsewhere, so a letter is
 * shown.
 */
import { currentAccount } from "./account.js";
import { h, hashOf } from "./dom.js";
import { shortUser } from "./format.js";
import { translate } from "./language.js";

const COLOURS = 8;

export function avatar(userId, name, size = "") {
  const letter = [...String(name ?? "").trim()].at(0) ?? "?";
  const colour = `tint-${hashOf(userId, COLOURS)}`;
  return h("span", { class: `avatar ${size} ${colour}`, "aria-hidden": "true", text: letter.toUpperCase() });
}

/** Names of the people in a room: frames carry ids, so a name is known only of those who were introduced. */
export function createNames(known, own) {
  const names = new Map(known);
  return {
    own,
    learn(userId, name) {
      if (userId && typeof name === "string" && name) names.set(String(userId), name);
    },
    of(userId) {
      const id = String(userId);
      if (id === currentAccount().user?.userId) return translate("me");
      return names.get(id) || shortUser(id);
    },
  };
}
