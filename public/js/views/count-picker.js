/** How many of a gift: a field, steps, and the numbers that people here like. */
import { h } from "../dom.js";

const MOST = 9_999;
const QUICK = [1, 10, 66, 188, 520, 1314];

export function createCountPicker(onChange) {
  const input = h("input", {
    class: "input count-input",
    type: "number",
    inputmode: "numeric",
    min: 1,
    max: MOST,
    step: 1,
    value: 1,
    label: "trayCount",
    testid: "gift-count",
    on: { input: changed },
  });

  function stepButton(text, label, step) {
    const press = () => set((Number(input.value) || 0) + step);
    return h("button", { class: "step", type: "button", text, label, on: { click: press } });
  }

  function quickButton(amount) {
    return h("button", { class: "chip", type: "button", text: String(amount), on: { click: () => set(amount) } });
  }

  function set(wanted) {
    input.value = Math.min(MOST, Math.max(1, wanted));
    changed();
  }

  /** The count, `undefined` while the field holds none that may be sent. */
  function value() {
    const wanted = Number(input.value);
    return Number.isInteger(wanted) && wanted >= 1 && wanted <= MOST ? wanted : undefined;
  }

  function changed() {
    input.setAttribute("aria-invalid", String(value() === undefined));
    onChange();
  }

  return {
    elements: [
      h("div", { class: "stepper" }, stepButton("−", "trayLess", -1), input, stepButton("+", "trayMore", 1)),
      h("div", { class: "quick", role: "group", label: "trayQuick" }, QUICK.map(quickButton)),
    ],
    value,
    focus: () => input.focus(),
  };
}
