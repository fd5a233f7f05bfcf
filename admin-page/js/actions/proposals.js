/** Deciding on a proposal: what it will do is said before it is approved. */
import { openAction } from "../action-dialog.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { reasonField } from "../fields.js";
import { coins, points, time } from "../format.js";

/** What a decision may find: of many at once one counts. */
const DECIDED = new Set(["done", "approved", "refused", "declined", "expired"]);
const OF_ORDERS = new Set(["refund", "release", "hold", "releaseHold"]);

const CONSEQUENCES = {
  refund: ["refundEffectDebt", "refundEffectMoney"],
  adjust: ["adjustEffectDebt"],
  platformAdjust: ["adjustEffectDebt"],
  payout: ["payoutEffectMoney"],
  releaseHold: ["releaseHoldEffectOnce"],
  erase: ["eraseEffectPerson", "eraseEffectBooks", "eraseEffectBack"],
};

/** Kinds whose subject is an order with a story. */
export function isOfOrder({ kind }) {
  return OF_ORDERS.has(kind);
}

/** In one sentence what a proposal does. */
export function sentenceOf({ kind, coins: amount, points: exact, subject, userId, giveUp }) {
  const n = () => (exact ? points(Math.abs(exact)) : coins(Math.abs(amount)));
  const vars = { n, subject, user: userId };
  const takes = (kind === "adjust" || kind === "platformAdjust") && amount < 0;
  if (kind === "erase" && giveUp) return ["does_eraseGiveUp", vars];
  return [`does_${kind}${takes ? "Take" : ""}`, vars];
}

/** Where what came of it is seen; nothing where the person is there already. */
function orderLinkOf(proposal) {
  const href = isOfOrder(proposal) ? hrefOf("order/:orderId", { orderId: proposal.subject }) : location.hash;
  return href === location.hash ? undefined : { href, say: "approvedLink" };
}

/** What else approving does, in the words of the dialog that asks for it. */
function consequencesOf({ kind, coins: amount }) {
  if (amount < 0) return [];
  return CONSEQUENCES[kind] ?? [];
}

function aboutProposal(proposal) {
  return [
    ["proposalId", proposal.proposalId],
    ["proposedBy", proposal.proposedBy],
    ["colTime", time(proposal.createTime)],
    ["reason", proposal.reason],
    ["colAnchor", proposal.anchorIds?.join(", ")],
  ];
}

export function approve(proposal, after) {
  openAction({
    ...{ testid: "approve", title: "approveTitle", yes: "approveYes", danger: true, after },
    about: aboutProposal(proposal),
    fields: [reasonField({ required: false })],
    effects: () => [sentenceOf(proposal), ...consequencesOf(proposal), "approveEffect"],
    run: ({ reason }) => call("proposals/approve", { proposalId: proposal.proposalId, ...(reason ? { reason } : {}) }),
    once: true,
    done: ({ state, refusalText }) => ({
      text: DECIDED.has(state) ? [`approved_${state}`, { why: refusalText ?? "" }] : otherState(state),
      note: state === "declined" || state === "expired" ? undefined : "approveUndo",
      link: orderLinkOf(proposal),
    }),
  });
}

export function decline(proposal, after) {
  openAction({
    ...{ testid: "decline", title: "declineTitle", yes: "declineYes", after },
    ...{ about: aboutProposal(proposal), fields: [reasonField()] },
    effects: () => ["declineEffect"],
    run: ({ reason }) => call("proposals/decline", { proposalId: proposal.proposalId, reason }),
    once: true,
    done: ({ state, refusalText }) =>
      state === "declined"
        ? { text: "declineDone", note: "declineUndo" }
        : { text: DECIDED.has(state) ? [`tooLate_${state}`, { why: refusalText ?? "" }] : otherState(state) },
  });
}

const otherState = (state) => ["proposalOther", { state }];
