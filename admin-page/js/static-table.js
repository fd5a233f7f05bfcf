/** A table of what is there already: its rows are replaced as a whole. It looks as the tables by cursor do. */
import { h } from "/js/dom.js";
import { say } from "/js/language.js";
import { tableShell } from "./table-shell.js";

/**
 * @param {{caption: string, testid: string, columns: import("./table.js").Column[]}} options a column may have `head`:
 *   its cells are the headers of their rows
 * @returns {{element: HTMLElement, show: (rows: object[]) => void}}
 */
export function staticTable({ caption, testid, columns }) {
  const { table, body } = tableShell({ caption, testid, columns });
  const rowOf = (row) =>
    h("tr", { role: "row", testid: `${testid}-row` }, ...columns.map((column) => cellOf(column, row)));
  return {
    element: h("div", { class: "table-box" }, h("div", { class: "table-scroll" }, table)),
    show(rows) {
      body.replaceChildren(...rows.map(rowOf));
    },
  };
}

function cellOf({ key, cell, number, wide, head }, row) {
  const kinds = [number && "number", wide && "wide"].filter(Boolean).join(" ");
  const content = cell(row) ?? "–";
  const element = head
    ? h("th", { scope: "row", role: "rowheader", class: "row-head" }, content)
    : h("td", { role: "cell", class: kinds || undefined }, content);
  say(element, key, {}, "data-label");
  return element;
}
