/** A choice of one of a few lists: radio buttons, so arrow keys work and a screen reader says which of how many. */
import { h } from "../dom.js";

let groups = 0;

/** @param {[value: unknown, key: string | [key: string, variables: object], testid: string][]} choices */
export function tabs(label, choices, chosen, onChoose) {
  groups += 1;
  const name = `tabs-${groups}`;
  return h(
    "div",
    { class: "tabs", role: "radiogroup", label },
    choices.map(([value, key, testid]) =>
      h(
        "label",
        { class: "tab", testid },
        h("input", {
          class: "visually-hidden",
          type: "radio",
          name,
          checked: value === chosen,
          on: { change: () => onChoose(value) },
        }),
        h("span", { say: key }),
      ),
    ),
  );
}
