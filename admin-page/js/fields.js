/**
 * Fields of forms. Each has {name, row, input, read()}; `read` answers {value}, or {problem: [key, variables]} where
 * what was typed cannot be sent.
 */
import { h } from "/js/dom.js";

let ids = 0;

/** The longest reason that is taken; what is longer would be refused by the server. */
const REASON_CHARS = 200;

function labelled(label, input, hint, required = true) {
  ids += 1;
  input.id = `field-${ids}`;
  const note = hint && h("p", { class: "field-hint", id: `${input.id}-hint`, say: hint });
  if (note) input.setAttribute("aria-describedby", note.id);
  const optional = !required && h("span", { class: "field-optional", say: "optional" });
  const name = h("label", { for: input.id }, h("span", { say: label }), optional && " ", optional);
  return h("div", { class: "field" }, name, input, note);
}

/** @param {{name: string, label: string, hint?: string, required?: boolean, value?: string, multiline?: boolean}} field */
export function textField({ name, label, hint, required = true, value = "", multiline = false, ...attributes }) {
  const input = h(multiline ? "textarea" : "input", {
    ...{ class: "input", testid: `field-${name}`, autocomplete: "off", spellcheck: "false", required },
    ...(multiline ? { rows: 3 } : { type: "text" }),
    ...attributes,
  });
  input.value = value;
  return { name, input, row: labelled(label, input, hint, required), read };

  function read() {
    const text = attributes.type === "password" ? input.value : input.value.trim();
    if (text === "") return required ? { problem: ["fieldMissing", {}] } : { value: undefined };
    return { value: text };
  }
}

/** Why: it is kept in the audit, and staff may show it to the user. */
export function reasonField({ hint = "reasonHint", required = true } = {}) {
  return textField({ name: "reason", label: "reason", hint, required, maxlength: REASON_CHARS, multiline: true });
}

/** A whole number. @param {{name: string, label: string, min?: number, max?: number}} field */
export function numberField({ name, label, hint, required = true, value = "", min, max = Number.MAX_SAFE_INTEGER }) {
  const negative = min === undefined || min < 0;
  const input = h("input", {
    ...{ class: "input", testid: `field-${name}`, autocomplete: "off", required, type: "text" },
    inputmode: negative ? undefined : "numeric",
  });
  input.value = String(value);
  return { name, input, row: labelled(label, input, hint, required), read };

  function read() {
    const text = input.value.replace(/[\s,，]/g, "").replace("−", "-");
    if (text === "") return required ? { problem: ["fieldMissing", {}] } : { value: undefined };
    const given = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(given)) return { problem: ["fieldWhole", {}] };
    if (min !== undefined && given < min) return { problem: ["fieldLeast", { n: min }] };
    if (given > max) return { problem: ["fieldMost", { n: max }] };
    return { value: given };
  }
}

/** One of a few. @param {{name: string, label: string, choices: [value: string, say: string | [string, object]][]}} field */
export function choiceField({ name, label, hint, choices, value = choices[0]?.[0] }) {
  const options = choices.map(([of, key]) => h("option", { value: of, say: key }));
  const input = h("select", { class: "input", testid: `field-${name}` }, options);
  input.value = value;
  return { name, input, row: labelled(label, input, hint), read: () => ({ value: input.value }) };
}

/** A time of the person's own zone, answered as ISO text. */
export function timeField({ name, label, hint, required = false, value = "", future = false }) {
  const input = h("input", { class: "input", testid: `field-${name}`, type: "datetime-local", required });
  input.value = value;
  return { name, input, row: labelled(label, input, hint, required), read };

  function read() {
    if (input.validity.badInput) return { problem: ["fieldTime", {}] };
    if (input.value === "") return required ? { problem: ["fieldMissing", {}] } : { value: undefined };
    const date = new Date(input.value);
    if (Number.isNaN(date.getTime())) return { problem: ["fieldTime", {}] };
    if (future && date.getTime() <= Date.now()) return { problem: ["fieldFuture", {}] };
    return { value: date.toISOString() };
  }
}

/** @param {{name: string, label: string, checked?: boolean}} field answers with a boolean */
export function checkField({ name, label, checked = false }) {
  const input = h("input", { type: "checkbox", testid: `field-${name}`, checked });
  return {
    ...{ name, input, read: () => ({ value: input.checked }) },
    row: h("label", { class: "check" }, input, h("span", { say: label })),
  };
}
