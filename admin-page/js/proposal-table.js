/** Proposals in a table: what each does in one sentence, and the buttons of who may decide. */
import { h } from "/js/dom.js";
import { approve, decline, isOfOrder, sentenceOf } from "./actions/proposals.js";
import { hrefOf } from "./address.js";
import { badge, idOf, timeOf } from "./cells.js";
import { orderLink, userLink } from "./columns.js";
import { createTable } from "./table.js";
import { proposalBadge } from "./tones.js";

/** @param {{session: object, after: () => void, fetchPage: (cursor?: string) => Promise<object>}} options */
export function proposalTable({ session, after, fetchPage }) {
  return createTable({
    ...{ caption: "proposalsTitle", testid: "proposals", signal: session.signal, empty: "proposalsNone", fetchPage },
    columns: [
      { key: "colTime", cell: ({ createTime }) => timeOf(createTime) },
      { key: "colWhat", wide: true, cell: (proposal) => whatOf(proposal, session) },
      { key: "reason", wide: true, cell: ({ reason }) => reason },
      { key: "proposedBy", cell: ({ proposedBy }) => proposedBy },
      { key: "colState", cell: stateOf },
      { key: "colActions", hideLabel: true, cell: (proposal) => decisionOf(proposal, session, after) },
    ],
  });
}

function whatOf(proposal, session) {
  const { proposalId } = proposal;
  return [
    h("p", { say: sentenceOf(proposal) }),
    h(
      "p",
      { class: "cell-note" },
      idOf(proposalId, session.has("audit") ? hrefOf("audit", { about: proposalId }) : undefined, "proposal-id"),
      " ",
      isOfOrder(proposal) ? orderLink(proposal.subject) : idOf(proposal.subject),
      " ",
      userLink(proposal.userId),
    ),
  ];
}

function stateOf({ state, expiresTime, decidedBy, decidedTime, decisionReason, refusal, refusalText }) {
  const by = decidedBy && h("p", { class: "cell-note" }, `${decidedBy} `, timeOf(decidedTime));
  const open =
    state === "open" &&
    expiresTime &&
    h("p", { class: "cell-note" }, h("span", { say: "expires" }), " ", timeOf(expiresTime));
  const why = decisionReason && h("p", { class: "cell-note", text: decisionReason });
  const refused = refusal && h("p", { class: "cell-note", text: refusalText ?? refusal, title: refusal });
  return [badge(...proposalBadge(state), "proposal-state"), refused, by, open, why].filter(Boolean);
}

function decisionOf(proposal, session, after) {
  if (proposal.state !== "open") return " ";
  if (!proposal.mayDecide) {
    const own = proposal.proposedBy === session.name || proposal.proposedBy === `staff:${session.name}`;
    return h("p", { class: "cell-note", say: own ? "proposalOwn" : "proposalNoRight", testid: "proposal-not-mine" });
  }
  const button = (say, testid, act) =>
    h("button", { class: "button small", type: "button", say, testid, on: { click: () => act(proposal, after) } });
  return h(
    "div",
    { class: "cell-actions" },
    button("approveYes", "approve-open", approve),
    button("declineYes", "decline-open", decline),
  );
}
