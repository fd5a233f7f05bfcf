/** A field of a form: some of many, each with its explanation. */
import { h } from "/js/dom.js";

/**
 * Answers with a list. `input` is the first box, which takes the focus where nothing is chosen.
 * @param {object} field
 * @param {string} field.name
 * @param {string} field.label
 * @param {string} field.missing key of the text where nothing is chosen
 * @param {{value: string, say?: string | [string, object], badge?: Node | false}[]} field.choices
 * @param {readonly string[]} [field.value] what is chosen at first; it may have what is not among the choices
 */
export function manyField({ name, label, missing, choices, value = [] }) {
  const known = choices.map((choice) => choice.value);
  const all = [...choices, ...value.filter((one) => !known.includes(one)).map((one) => ({ value: one }))];
  const boxes = all.map(({ value: of }) =>
    h("input", { type: "checkbox", value: of, checked: value.includes(of), testid: `field-${name}-${of}` }),
  );
  const rows = all.map(({ value: of, say, badge }, index) =>
    h(
      "label",
      { class: "check many-choice" },
      boxes[index],
      h("span", { class: "id", text: of }),
      badge,
      say && h("span", { class: "quiet-text", say }),
    ),
  );
  return { name, input: boxes[0], row: h("fieldset", { class: "many" }, h("legend", { say: label }), rows), read };

  function read() {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    return chosen.length > 0 ? { value: chosen } : { value: chosen, problem: [missing, {}] };
  }
}
