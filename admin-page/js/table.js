/**
 * A table whose pages come by cursor: rows, a text where there are none, a button for the next page, and a failure with
 * another try. On a narrow screen each row is a card (css/tables.css).
 */
import { ApiError } from "/js/api-error.js";
import { whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { say, sayPlain } from "/js/language.js";
import { moveWithArrows } from "./arrows.js";
import { tableShell } from "./table-shell.js";

/**
 * @typedef {object} Column
 * @property {string} key of strings.js: its header, and the label on a narrow screen
 * @property {(row: object) => Node | string | (Node | string)[] | undefined} cell
 * @property {boolean} [number] right-aligned, in figures of one width
 * @property {boolean} [wide] may break anywhere and takes what is left of the width
 * @property {boolean} [hideLabel] of buttons: the header is for screen readers alone
 */

/**
 * @param {object} options
 * @param {string} options.caption key of the table's name, for screen readers
 * @param {Column[]} options.columns
 * @param {(cursor?: string) => Promise<{list: object[], nextCursor?: string | null}>} options.fetchPage
 * @param {AbortSignal} options.signal of the view: what arrives later is dropped
 * @param {string} options.testid rows have `${testid}-row`
 * @param {string} [options.empty] key of the text where there are no rows
 * @param {(row: object) => string | undefined} [options.href] where Enter and a click on the row lead
 * @param {(row: object, element: HTMLTableRowElement) => void} [options.open] the same, where it is no address
 * @returns {{element: HTMLElement, restart: () => Promise<void>}} `restart` never rejects: a failure is shown in place
 */
export function createTable({ caption, columns, fetchPage, signal, testid, empty = "empty", href, open }) {
  let cursor;
  let generation = 0; // what was asked before the table started over is not shown any more
  const { table, body } = tableShell({ caption, testid, columns });
  const state = h("p", { class: "table-state", role: "status", testid: `${testid}-state`, hidden: true });
  const again = h("button", { class: "button small", type: "button", say: "retry", testid: `${testid}-retry` });
  const failure = h("div", { class: "table-failure", role: "alert", testid: `${testid}-failure`, hidden: true });
  const failureText = h("span", {});
  failure.append(failureText, again);
  const more = h("button", { class: "button small", type: "button", say: "more", testid: `${testid}-more` });
  more.hidden = true;
  more.addEventListener("click", () => whileBusy(more, () => load(generation)));
  again.addEventListener("click", () => whileBusy(again, () => load(generation)));
  moveWithArrows(body, "tr[tabindex]");
  body.addEventListener("focusin", ({ target }) => target.matches("tr[tabindex]") && makeTabStop(target));
  const element = h("div", { class: "table-box" }, h("div", { class: "table-scroll" }, table), state, failure, more);
  // Of the page itself: a dialog that a row has opened gives the focus back to it.
  let hasFocus = false;
  const noteFocus = ({ target }) => {
    if (!target.closest("dialog")) hasFocus = body.contains(target);
  };
  document.addEventListener("focusin", noteFocus, { signal });

  async function load(mine) {
    failure.hidden = true;
    if (body.children.length === 0) showState("loading");
    table.setAttribute("aria-busy", "true");
    try {
      const page = await fetchPage(cursor);
      if (signal.aborted || mine !== generation) return;
      cursor = page.nextCursor ?? undefined;
      body.append(...page.list.map(rowOf));
      if (!body.querySelector("tr[tabindex='0']")) makeTabStop(body.querySelector("tr[tabindex]"));
      more.hidden = !cursor;
      showState(body.children.length > 0 ? undefined : empty);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (signal.aborted || mine !== generation || error.loggedOut) return;
      showState(undefined);
      more.hidden = true;
      sayPlain(failureText, error.message);
      failure.hidden = false;
    } finally {
      if (mine === generation) table.removeAttribute("aria-busy");
    }
  }

  /** The Tab key stops at one row of the table; the arrows lead to the others. */
  function makeTabStop(row) {
    for (const other of body.querySelectorAll("tr[tabindex='0']")) other.tabIndex = -1;
    if (row) row.tabIndex = 0;
  }

  function showState(key) {
    state.hidden = key === undefined;
    table.hidden = key !== undefined;
    if (key !== undefined) say(state, key);
  }

  /** After the rows were replaced: whoever was at one of them is at the first, once no dialog is open. */
  function giveFocusBack() {
    const dialog = document.querySelector("dialog[open]");
    if (dialog) dialog.addEventListener("close", focusFirst, { once: true });
    else focusFirst();
  }

  function focusFirst() {
    if (document.activeElement !== document.body) return;
    (body.querySelector("tr[tabindex]") ?? body.querySelector("a, button"))?.focus({ preventScroll: true });
  }

  function rowOf(row) {
    const element = h("tr", { role: "row", testid: `${testid}-row` });
    element.append(...columns.map((column) => cellOf(column, row)));
    const to = href?.(row);
    if (to !== undefined || open) {
      element.tabIndex = -1;
      element.classList.add("opens");
      const go = () => (to === undefined ? open(row, element) : location.assign(to));
      element.addEventListener("keydown", (event) => event.target === element && event.key === "Enter" && go());
      element.addEventListener("click", (event) => isPlain(event) && go());
    }
    return element;
  }

  return {
    element,
    async restart() {
      generation += 1;
      cursor = undefined;
      const hadFocus = hasFocus;
      body.replaceChildren();
      more.hidden = true;
      await load(generation);
      if (hadFocus && !signal.aborted) giveFocusBack();
    },
  };
}

function cellOf({ key, cell, number, wide, hideLabel }, row) {
  const content = cell(row);
  const kinds = [number && "number", wide && "wide", hideLabel && "unlabelled"].filter(Boolean).join(" ");
  const empty = content === undefined || content === null || content === "";
  const element = h(
    "td",
    { role: "cell", class: kinds || undefined },
    h("div", { class: "cell" }, empty ? "–" : content),
  );
  if (!hideLabel) say(element, key, {}, "data-label");
  return element;
}

/** A click on a link or a button inside the row is theirs, and so is one that ends a selection of text. */
function isPlain(event) {
  return !event.target.closest("a, button, input, summary") && getSelection()?.isCollapsed !== false;
}
