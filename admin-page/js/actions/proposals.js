/** Deciding on a proposal: what it will do is said before it is approved. */
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { reasonField } from "../fields.js";
import { coins, time } from "../format.js";

const OF_ORDERS = new Set(["refund", "release", "hold", "releaseHold"]);

/** Kinds whose subject is an order with a story. */
export function isOfOrder({ kind }) {
  return OF_ORDERS.has(kind);
}

/** In one sentence what a proposal does. */
export function sentenceOf({ kind, coins: amount, subject, userId }) {
  const vars = { n: () => coins(Math.abs(amount)), subject, user: userId };
  const takes = (kind === "adjust" || kind === "platformAdjust") && amount < 0;
  return [`does_${kind}${takes ? "Take" : ""}`, vars];
}

function aboutProposal(proposal) {
  return [
    ["proposalId", proposal.proposalId],
    ["proposedBy", proposal.proposedBy],
    ["colTime", time(proposal.createTime)],
    ["reason", proposal.reason],
  ];
}

export function approve(proposal, after) {
  openAction({
    ...{ testid: "approve", title: "approveTitle", yes: "approveYes", danger: true, after },
    about: aboutProposal(proposal),
    fields: [reasonField({ required: false })],
    effects: () => [sentenceOf(proposal), "approveEffect"],
    run: ({ reason }) => call("proposals/approve", { proposalId: proposal.proposalId, ...(reason ? { reason } : {}) }),
    done: () => ({ text: "approveDone", note: "approveUndo" }),
  });
}

export function decline(proposal, after) {
  openAction({
    ...{ testid: "decline", title: "declineTitle", yes: "declineYes", after },
    ...{ about: aboutProposal(proposal), fields: [reasonField()] },
    effects: () => ["declineEffect"],
    run: ({ reason }) => call("proposals/decline", { proposalId: proposal.proposalId, reason }),
    done: () => ({ text: "declineDone", note: "declineUndo" }),
  });
}
