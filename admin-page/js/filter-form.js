/** A filter above a table: fields in a row, sent by Enter or its button, and a button that clears it. */
import { h } from "/js/dom.js";
import { say } from "/js/language.js";

/**
 * @param {{testid: string, fields: ReturnType<import("./fields.js").textField>[], chosen: (values: object) => void}}
 *   options `chosen` gets the values of the fields that are filled in
 */
export function filterForm({ testid, fields, chosen }) {
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const clear = h("button", { class: "button quiet", type: "reset", say: "filterClear", testid: `${testid}-clear` });
  const go = h("button", { class: "button", type: "submit", say: "filterGo", testid: `${testid}-filter` });
  return h(
    "form",
    { class: "filters", novalidate: true, testid: `${testid}-filters`, on: { submit: send, reset: empty } },
    fields.map(({ row }) => row),
    h("div", { class: "cell-actions" }, go, clear),
    problem,
  );

  function send(event) {
    event.preventDefault();
    problem.hidden = true;
    const values = {};
    for (const { name, input, read } of fields) {
      input.removeAttribute("aria-invalid");
      const { value, problem: why } = read();
      if (why) {
        input.setAttribute("aria-invalid", "true");
        say(problem, ...why);
        problem.hidden = false;
        input.focus();
        return;
      }
      if (value !== undefined) values[name] = value;
    }
    chosen(values);
  }

  /** Not to what the fields had at first, as a form does by itself. */
  function empty(event) {
    event.preventDefault();
    problem.hidden = true;
    for (const { input } of fields) {
      input.value = "";
      input.removeAttribute("aria-invalid");
    }
    chosen({});
  }
}
