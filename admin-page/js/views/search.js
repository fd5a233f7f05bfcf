/** Search: one box for everything that a complaint may name; what was found is grouped by its kind. */
import { h } from "/js/dom.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { moveWithArrows } from "../arrows.js";
import { badge, incomplete, viewHead } from "../cells.js";
import { orderBadge, roomBadge } from "../tones.js";

export const searchView = { path: "search", title: "searchTitle", nav: "find", right: "read", show };

const KINDS = ["user", "payment", "gift", "room"];

const TARGETS = {
  user: (id) => hrefOf("user/:userId", { userId: id }),
  payment: (id) => hrefOf("order/:orderId", { orderId: id }),
  gift: (id) => hrefOf("order/:orderId", { orderId: id }),
  room: (id) => hrefOf("room/:roomId", { roomId: id }),
};

async function show(root, { q }, session) {
  if (!q) return showHelp(root);
  const state = h("p", { class: "table-state", role: "status", say: "searching" });
  root.append(viewHead(["searchFor", { q }]), state);
  const { list, more, incomplete: away } = await call("search", { q }, session);
  if (session.signal.aborted) return undefined;
  if (away?.length > 0) state.before(incomplete(away));
  const hits = list.filter(({ kind }) => KINDS.includes(kind));
  if (hits.length === 0) {
    state.replaceWith(h("div", { class: "table-state", role: "status", testid: "search-none" }, nothing()));
    return undefined;
  }
  state.remove();
  const results = h(
    "div",
    { class: "hits", testid: "hits" },
    KINDS.map((kind) =>
      group(
        kind,
        hits.filter((hit) => hit.kind === kind),
      ),
    ),
    more && h("p", { class: "lead", say: "searchMore" }),
  );
  moveWithArrows(results, "a");
  root.append(results);
  // Enter opens the first hit, the arrows lead to the others.
  results.querySelector("a").focus({ preventScroll: true });
  return undefined;
}

function nothing() {
  return [h("p", { say: "searchNone" }), h("p", { class: "lead", say: "searchNoneHint" })];
}

function group(kind, hits) {
  if (hits.length === 0) return undefined;
  return h(
    "section",
    { class: "hit-group", testid: `hits-${kind}` },
    h("h2", { say: [`searchKind_${kind}`, { n: hits.length }] }),
    h("ul", { class: "card hit-list" }, hits.map(hitRow)),
  );
}

function hitRow(hit) {
  const { kind, id, title } = hit;
  return h(
    "li",
    {},
    h(
      "a",
      { class: "hit", href: TARGETS[kind](id), testid: "hit" },
      h("span", { class: "hit-title", text: title || String(id) }),
      h("span", { class: "id hit-id", text: id }),
      h("span", { class: "hit-detail" }, ...detailOf(hit)),
    ),
  );
}

/** The state in the words of the other views; the rest as the services have it. */
function detailOf({ kind, state, detail }) {
  const shown = kind === "room" ? roomBadge(state === "live") : orderBadge(state);
  return [...(state === null ? [] : [badge(...shown), " "]), detail];
}

function showHelp(root) {
  root.append(
    viewHead("searchTitle", { lead: "searchLead" }),
    h(
      "ul",
      { class: "card help-list" },
      ["searchHelpPhone", "searchHelpUser", "searchHelpOrder", "searchHelpTransaction", "searchHelpRoom"].map((key) =>
        h("li", { say: key }),
      ),
    ),
    h("p", { class: "lead", say: "searchKeys" }),
  );
  if (matchMedia("(min-width: 60rem)").matches) document.getElementById("search")?.focus();
}
