/** Builds elements. Texts are text nodes only, so a user's text never becomes markup. */
import { say } from "./language.js";

const SVG = "http://www.w3.org/2000/svg";
const SAID_ATTRIBUTES = { hint: "placeholder", label: "aria-label", tip: "title" };

/**
 * h("button", {class: "quiet", testid: "send", say: "traySend", on: {click}}, ...children)
 * `say`, `hint` (placeholder), `label` (aria-label) and `tip` (title) take a key of strings.js or [key, variables].
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
  } else if (name === "text") {
    element.textContent = value;
  } else if (name === "testid") {
    element.setAttribute("data-testid", value);
  } else if (name === "say" || name in SAID_ATTRIBUTES) {
    const [key, vars] = Array.isArray(value) ? value : [value];
    say(element, key, vars, SAID_ATTRIBUTES[name]);
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** An SVG of [tag, attributes] shapes. Decorative: a text beside it has the meaning. */
export function drawing(viewBox, shapes, className) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", className);
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    svg.append(shape);
  }
  return svg;
}

/** A small stable number from an id, to choose a colour by. */
export function hashOf(id, buckets) {
  let hash = 0;
  for (const char of String(id)) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash % buckets;
}
