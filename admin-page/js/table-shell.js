/** What every table is around its rows: name, headers, body. */
import { h } from "/js/dom.js";

/**
 * @param {{caption: string, testid: string, columns: import("./table.js").Column[]}} options
 * @returns {{table: HTMLTableElement, body: HTMLTableSectionElement}} the rows go into the body
 */
export function tableShell({ caption, testid, columns }) {
  const body = h("tbody", { role: "rowgroup" });
  const table = h(
    "table",
    { class: "table", role: "table", testid },
    h("caption", { class: "visually-hidden", say: caption }),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(header))),
    body,
  );
  return { table, body };
}

function header({ key, number, hideLabel }) {
  const inner = h("span", { class: hideLabel ? "visually-hidden" : undefined, say: key });
  return h("th", { scope: "col", role: "columnheader", class: number ? "number" : undefined }, inner);
}
