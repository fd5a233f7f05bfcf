/** The audit: who asked for what, and what came of it. */
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { hrefOf, noteInAddress } from "../address.js";
import { call } from "../api.js";
import { addressOf, askedOf, filterOf, localTime, shortRoute, toneOf } from "../audit-filter.js";
import { badge, facts, idOf, timeOf, viewHead } from "../cells.js";
import { textField, timeField } from "../fields.js";
import { filterForm } from "../filter-form.js";
import { createTable } from "../table.js";

export const auditView = { path: "audit", title: "auditTitle", right: "audit", nav: "staff", show };

const TEXT_CHARS = 100;
const KNOWN_OUTCOMES = ["succeeded", "unavailable", "fault", "roleMissing"];

function show(root, params, session) {
  let filter = filterOf(params);
  const table = auditTable({ testid: "audit", filter: () => filter, session });
  const text = (name, label, example) =>
    textField({
      ...{ name, label, required: false, value: filter[name] ?? "", maxlength: TEXT_CHARS },
      placeholder: example && translate(example),
    });
  const form = filterForm({
    testid: "audit",
    fields: [
      text("person", "auditPerson"),
      text("route", "auditRoute", "auditRouteHint"),
      text("about", "auditAbout", "auditAboutHint"),
      timeField({ name: "from", label: "auditFrom", value: localTime(filter.from) }),
      timeField({ name: "to", label: "auditTo", value: localTime(filter.to) }),
    ],
    chosen(values) {
      filter = filterOf(values);
      noteInAddress(addressOf(filter));
      table.restart();
    },
  });
  root.append(viewHead("auditTitle", { lead: "auditLead" }), form, table.element);
  return table.restart();
}

/** The rows of a filter; each opens to its params and its outcome. */
export function auditTable({ testid, filter, session }) {
  const columns = [
    { key: "thTime", cell: opener },
    { key: "auditPerson", cell: personCell },
    { key: "auditRoute", cell: ({ route }) => h("span", { class: "id", text: shortRoute(route) }) },
    { key: "auditAbout", wide: true, cell: ({ about }) => about && h("span", { class: "id", text: about }) },
    { key: "auditCame", cell: ({ outcome }) => badge(toneOf(outcome), wordOf(outcome)) },
  ];
  return createTable({
    ...{ caption: "auditTitle", testid, empty: "auditNone", signal: session.signal, columns },
    fetchPage: (cursor) => call("audit/list", { ...askedOf(filter()), ...(cursor && { cursor }) }, session),
    open,
  });

  /** It says whether the row is open. The keys have the row, which is no stop of its own beside it. */
  function opener(row) {
    const click = ({ currentTarget }) => open(row, currentTarget.closest("tr"));
    return h(
      "button",
      { class: "link-button", type: "button", tabindex: "-1", "aria-expanded": "false", on: { click } },
      timeOf(row.time),
    );
  }

  function open(row, element) {
    toggle(row, element, columns.length, testid);
  }
}

function personCell({ person, role }) {
  return h(
    "div",
    { class: "stack" },
    h("span", { text: person }),
    // Of a login that failed nobody knows who it was.
    h("span", { class: "quiet-text", say: role === null ? "auditNoRole" : `role_${role}` }),
  );
}

/** A word of the page for an outcome that it knows, else the failure's own name. */
function wordOf(outcome) {
  if (outcome === null || outcome === undefined) return "auditNoOutcome";
  return KNOWN_OUTCOMES.includes(outcome) ? `outcome_${outcome}` : ["asIs", { text: outcome }];
}

function toggle(row, element, width, testid) {
  const button = element.querySelector("[aria-expanded]");
  const isOpen = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) element.nextElementSibling.remove();
  else element.after(detailRow(row, width, testid));
}

function detailRow(row, width, testid) {
  const { callId, person, address, about, params, outcome, outcomeTime } = row;
  return h(
    "tr",
    { class: "detail-row", role: "row", testid: `${testid}-detail` },
    h(
      "td",
      { colspan: width, role: "cell", class: "unlabelled" },
      h(
        "div",
        { class: "detail" },
        facts([
          ["auditCallId", idOf(callId)],
          ["auditPerson", h("a", { href: hrefOf("audit", { person }), text: person })],
          ["auditAddress", h("span", { class: "id", text: address })],
          about && ["auditAbout", h("a", { class: "id", href: hrefOf("audit", { about }), text: about })],
          ["auditCame", badge(toneOf(outcome), wordOf(outcome))],
          [
            "auditOutcomeTime",
            outcomeTime ? timeOf(outcomeTime) : h("span", { class: "quiet-text", say: "auditUnwritten" }),
          ],
        ]),
        h("h3", { say: "auditParams" }),
        h("pre", {
          class: "body-text",
          tabindex: "0",
          testid: `${testid}-params`,
          ...(params === null ? { say: "auditErased" } : { text: JSON.stringify(params, null, 2) }),
        }),
      ),
    ),
  );
}
