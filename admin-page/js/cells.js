/** Small pieces that tables and heads are made of: times, ids that are links, states by colour and word, pictures. */
import { h, hashOf } from "/js/dom.js";
import { fullTime, time } from "./format.js";

const COLOURS = 8;

/** A time with its full form (milliseconds, zone, UTC) for who points at it. */
export function timeOf(value) {
  const title = fullTime(value);
  if (!title) return h("span", { class: "quiet-text", text: time(value) });
  return h("time", { datetime: new Date(value).toISOString(), title, text: time(value) });
}

/** An id in a fixed width; with `href` it leads there. */
export function idOf(id, href, testid) {
  if (id === undefined || id === null) return h("span", { class: "quiet-text", text: "–" });
  return href ? h("a", { class: "id", href, testid, text: id }) : h("span", { class: "id", testid, text: id });
}

/**
 * @param {"good" | "bad" | "wait" | "plain"} tone the word says the same: colour is never alone
 * @param {string | [string, object] | {text: string}} word a key with its variables, or a text of its own
 */
export function badge(tone, word, testid) {
  const isKey = typeof word === "string" || Array.isArray(word);
  return h("span", { class: `badge badge-${tone}`, ...(isKey ? { say: word } : word), testid });
}

/** A face: a letter on a colour. Pictures of users may be on any server, and the page loads none of them. */
export function face(userId, name) {
  const letter = [...String(name ?? "").trim()].at(0) ?? "?";
  return h("span", {
    class: `face tint-${hashOf(userId, COLOURS)}`,
    "aria-hidden": "true",
    text: letter.toUpperCase(),
  });
}

/** An address of a picture that may be loaded: https, or of this server; anything else is `undefined`. */
export function pictureUrl(address) {
  if (typeof address !== "string" || address === "") return undefined;
  try {
    const url = new URL(address, location.origin);
    const own = url.origin === location.origin && (url.protocol === "http:" || url.protocol === "https:");
    return own || url.protocol === "https:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Says which services did not answer: what they have is not on the page; nothing where all of them did. */
export function incomplete(services) {
  if (!services?.length) return undefined;
  const names = services.join(", ");
  return h("p", { class: "form-problem", role: "alert", say: ["incomplete", { names }], testid: "incomplete" });
}

/** Pairs of a label and a value, as in a head: facts([["colBalance", "12"], ...]). */
export function facts(pairs, testid) {
  return h(
    "dl",
    { class: "facts", testid },
    pairs
      .filter((pair) => pair && pair[1] !== undefined && pair[1] !== null && pair[1] !== "")
      .map(([key, value, valueTestid]) =>
        h(
          "div",
          { class: "fact" },
          h("dt", { say: key }),
          h("dd", { testid: valueTestid }, value instanceof Node ? value : String(value)),
        ),
      ),
  );
}

/** The head of a view: title, what stands beside it, and a line below. */
export function viewHead(title, { beside, lead, testid } = {}) {
  const heading = Array.isArray(title) || typeof title === "string" ? { say: title } : title;
  return h(
    "div",
    { class: "view-head" },
    h("div", { class: "view-title" }, h("h1", { ...heading, testid })),
    beside && h("div", { class: "view-actions" }, beside),
    lead && h("p", { class: "lead", say: lead }),
  );
}
