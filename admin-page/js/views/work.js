/** What waits for a person: the work lists and how much is in each. */
import { ApiError } from "/js/api-error.js";
import { h } from "/js/dom.js";
import { say, sayPlain } from "/js/language.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { viewHead } from "../cells.js";
import { number } from "../format.js";
import { knownFigures } from "../known-figures.js";
import { part } from "../pieces.js";
import { visibleEvery } from "../visible.js";
import { allDone, workFor } from "../work-lists.js";

const EVERY_MS = 10_000;

export const workView = { path: "work", title: "workTitle", right: "read", nav: "work", show };

async function show(root, _params, session) {
  const problem = h("p", { class: "form-problem", role: "alert", testid: "work-problem", hidden: true });
  const lists = h("div", { class: "parts" });
  showLists(await read());
  root.append(viewHead("workTitle", { lead: "workLead" }), problem, lists);
  visibleEvery(EVERY_MS, refresh, session.signal);

  async function read() {
    return knownFigures(await call("figures", {}, session));
  }

  /** The focus stays on its card. */
  function showLists(figures) {
    const focused = document.activeElement?.dataset.testid;
    lists.replaceChildren(...parts(session, figures));
    if (focused?.startsWith("work-")) lists.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
  }

  async function refresh() {
    try {
      showLists(await read());
      problem.hidden = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (session.signal.aborted || error.loggedOut) return;
      sayPlain(problem, error.message);
      problem.hidden = false;
    }
  }
}

function parts(session, counts) {
  const { mine, others } = workFor(session.rights, counts);
  const own = [];
  if (mine.length === 0) own.push(h("p", { class: "lead", say: "workNone" }));
  else if (allDone(mine)) own.push(h("p", { class: "form-news", say: "workAllDone", testid: "work-done" }));
  own.push(cards(mine));
  return [part("workMine", ...own), others.length > 0 && part("workOthers", cards(others))].filter(Boolean);
}

function cards(lists) {
  return h("ul", { class: "work-cards" }, lists.map(card));
}

function card({ name, path, title, why, count }) {
  const shown = h("span", { class: "work-count", testid: `work-${name}-count` });
  if (count === null) say(shown, "workUnknown");
  else shown.textContent = number(count);
  const state = count === null ? "unknown" : count > 0 ? "waits" : "done";
  return h(
    "li",
    {},
    h(
      "a",
      { class: `card work-card work-${state}`, href: hrefOf(path), testid: `work-${name}` },
      shown,
      h("span", { class: "work-title", say: title }),
      h("span", { class: "work-why", say: count === null ? "workUnknownWhy" : why }),
    ),
  );
}
