/** A list with pages by cursor: rows, a text where there are none, a button for the next page. */
import { whileBusy } from "../busy.js";
import { h } from "../dom.js";

/** @param {{fetchPage: (cursor?: string) => Promise<{list: object[], nextCursor?: string | null}>}} options */
export function createCursorList({ fetchPage, row, testid, signal }) {
  let cursor;
  let generation = 0; // what was asked before the list started over is not shown any more
  const list = h("ul", { class: "rows", testid });
  const none = h("p", { class: "empty", say: "empty", testid: `${testid}-empty`, hidden: true });
  const more = h("button", {
    class: "button more",
    type: "button",
    say: "more",
    testid: `${testid}-more`,
    hidden: true,
  });
  more.addEventListener("click", () => whileBusy(more, () => load(generation)));

  async function load(mine) {
    const page = await fetchPage(cursor);
    if (signal.aborted || mine !== generation) return;
    cursor = page.nextCursor ?? undefined;
    list.append(...page.list.map(row));
    more.hidden = !cursor;
    none.hidden = list.children.length > 0;
  }

  return {
    elements: [list, none, more],
    restart() {
      generation += 1;
      cursor = undefined;
      list.replaceChildren();
      more.hidden = true;
      return load(generation);
    },
  };
}
