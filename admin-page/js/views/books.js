/** The differences of the books that the auditor finds. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, timeOf, viewHead } from "../cells.js";
import { reasonField } from "../fields.js";
import { time } from "../format.js";
import { neverAccepted } from "../offered.js";
import { bar, button, choice } from "../pieces.js";
import { strings } from "../strings.js";
import { createTable } from "../table.js";

export const booksView = {
  ...{ path: "books", title: "booksTitle", right: "read", nav: "work", show },
  count: ({ findings }) => findings,
};

const WHICH = { open: { accepted: 0 }, accepted: { accepted: 1 }, all: {} };

function show(root, params, session) {
  let which = Object.hasOwn(WHICH, params.which ?? "") ? params.which : "open";
  const mayAccept = session.has("books");
  const table = createTable({
    ...{ caption: "booksTitle", testid: "findings", empty: "booksNone", signal: session.signal },
    fetchPage: (cursor) => call("books/findings", { ...WHICH[which], ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thKind", cell: ({ kind }) => kindOf(kind) },
      { key: "thSubject", cell: ({ subject }) => h("span", { class: "id", text: subject }) },
      { key: "thDetail", wide: true, cell: ({ detail }) => h("span", { text: detail }) },
      { key: "thFound", cell: foundCell },
      { key: "thState", cell: (finding) => stateCell(finding, mayAccept, done) },
    ],
  });
  const choices = [
    ["open", "booksOpen"],
    ["accepted", "booksAccepted"],
    ["all", "booksAll"],
  ];
  const choose = choice({ label: "booksWhich", testid: "findings-which", choices, value: which }, (chosen) => {
    which = chosen;
    noteInAddress({ which: which === "open" ? "" : which });
    table.restart();
  });
  root.append(viewHead("booksTitle", { lead: "booksLead" }), bar(choose), table.element);
  return table.restart();

  function done() {
    table.restart();
    session.refreshCounts();
  }
}

/** In words where the page has some, with the kind's own name below it: the documents and the log have that. */
function kindOf(kind) {
  const name = h("span", { class: "id quiet-text", text: kind });
  const known = Object.hasOwn(strings, `book_${kind}`);
  return known ? h("div", { class: "stack" }, h("span", { say: `book_${kind}` }), name) : name;
}

function foundCell({ foundTime, seenTime }) {
  return h(
    "div",
    { class: "stack" },
    timeOf(foundTime),
    h("span", { class: "quiet-text", say: ["booksSeen", { time: () => time(seenTime) }] }),
  );
}

function stateCell(finding, mayAccept, after) {
  const { accepted, kind } = finding;
  if (accepted) {
    const { by, reason } = accepted;
    return h("span", { say: ["booksAcceptedBy", { by, reason, time: () => time(accepted.time) }] });
  }
  if (neverAccepted.includes(kind)) return h("span", { class: "quiet-text", say: "bookNeverAccept" });
  return mayAccept ? button("bookAccept", "accept", () => openAccept(finding, after)) : badge("wait", "booksOpen");
}

function openAccept({ id, kind, subject, detail }, after) {
  openAction({
    ...{ testid: "accept", title: "bookAcceptTitle", yes: "bookAccept", fields: [reasonField()], after },
    about: [
      ["thKind", kindOf(kind)],
      ["thSubject", subject],
      ["thDetail", detail],
    ],
    effects: () => ["bookAcceptWhat"],
    run: ({ reason }) => call("books/accept", { id, detail, reason }),
    done: () => ({ text: ["bookAccepted", { id }] }),
  });
}
