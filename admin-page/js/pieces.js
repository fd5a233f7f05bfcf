/** Small pieces of the work lists: buttons, choices above a table, a secret that is shown once. */
import { ApiError } from "/js/api-error.js";
import { h } from "/js/dom.js";
import { say, translate } from "/js/language.js";

/** @param {string | [string, object]} word @param {() => void} run */
export function button(word, testid, run, kind = "small") {
  return h("button", { class: `button ${kind}`, type: "button", say: word, testid, on: { click: run } });
}

/** A link that looks like a button: it leads to another address. */
export function linkButton(word, testid, href, kind = "small") {
  return h("a", { class: `button ${kind}`, href, say: word, testid });
}

/** The buttons of a row, in its last cell. */
export function buttons(...children) {
  return h("div", { class: "cell-actions" }, ...children);
}

/**
 * A choice above a table, told of at once.
 * @param {{label: string, testid: string, choices: [value: string, say: string | [string, object]][], value: string}} options
 * @param {(value: string) => void} chosen
 */
export function choice({ label, testid, choices, value }, chosen) {
  const options = choices.map(([of, key]) => h("option", { value: of, say: key }));
  const select = h("select", { class: "input", testid, on: { change: () => chosen(select.value) } }, options);
  select.value = choices.some(([of]) => of === value) ? value : choices[0][0];
  return h("label", { class: "choice" }, h("span", { say: label }), select);
}

/** The row of choices and buttons above a table. */
export function bar(...children) {
  return h("div", { class: "filters" }, ...children);
}

/** A heading of a part of a view. */
export function part(title, ...children) {
  return h("section", { class: "part" }, h("h2", { say: title }), ...children);
}

/**
 * Something that is shown once, with a button that copies it. A press beside its dialog and the first Esc do not close
 * it: what was not copied would be lost.
 */
export function secretBox(text, testid) {
  const news = h("span", { class: "quiet-text", role: "status" });
  const value = h("output", { class: "secret", testid, tabindex: "0", text });
  const copy = button("copy", `${testid}-copy`, async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(news, "copied");
    } catch {
      // The clipboard may be forbidden, or the page not be served by https: the text is selected instead.
      getSelection().selectAllChildren(value);
      say(news, "copyFailed");
    }
  });
  const box = h("div", { class: "secret-box" }, value, h("div", { class: "cell-actions" }, copy, news));
  queueMicrotask(() => keepOpen(box.closest("dialog")));
  return box;
}

function keepOpen(dialog) {
  if (!dialog) return;
  const stop = (event) => event.target === dialog && event.stopImmediatePropagation();
  dialog.addEventListener("pointerdown", stop, { capture: true });
  dialog.addEventListener("cancel", (event) => event.preventDefault(), { once: true });
}

/** For an action that has nothing to send: shown in its dialog as a refusal is. */
export function refusal(key, vars) {
  return new ApiError({ code: key, message: translate(key, vars), answered: true });
}
