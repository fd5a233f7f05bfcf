/** Short messages that appear and disappear by themselves. */
import { h } from "./dom.js";
import { translate } from "./language.js";

const SHOWN_MS = 5_000;
const MOST = 4;

function show(kind, message, action) {
  const region = document.getElementById("toasts");
  const item = h(
    "div",
    { class: `toast toast-${kind}`, testid: `toast-${kind}`, role: kind === "failure" ? "alert" : undefined },
    h("span", { class: "toast-text", text: message }),
    action && h("button", { class: "toast-action", type: "button", say: action.say, on: { click: act } }),
    h("button", { class: "toast-close", type: "button", label: "close", text: "×", on: { click: remove } }),
  );
  let timer = setTimeout(remove, SHOWN_MS);
  item.addEventListener("pointerenter", () => clearTimeout(timer));
  item.addEventListener("focusin", () => clearTimeout(timer));
  item.addEventListener("pointerleave", () => {
    timer = setTimeout(remove, SHOWN_MS);
  });
  region.append(item);
  while (region.children.length > MOST) region.firstElementChild.remove();
  raise(region);

  function act() {
    remove();
    action.run();
  }
  function remove() {
    clearTimeout(timer);
    item.remove();
    if (region.children.length === 0 && region.matches(":popover-open")) region.hidePopover();
  }
}

/** Shown again for each message: an open dialog is in the top layer, and the latest to enter it is in front. */
function raise(region) {
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
}

export const toast = Object.freeze({
  success: (message, action) => show("success", message, action),
  notice: (message, action) => show("notice", message, action),
  failure: (message, action) => show("failure", message, action),
  say: (key, vars, action) => show("notice", translate(key, vars), action),
});
