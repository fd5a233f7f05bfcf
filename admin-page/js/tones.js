/** Which colour a state has; its word is in strings.js. */

const PAY = ["wait", "wait", "good", "plain", "plain", "bad"];
const GIFT = { accepted: "wait", succeeded: "good", failed: "bad" };
const ORDER = {
  ...{ waiting: "wait", paying: "wait", paid: "good", cancelled: "plain", invalid: "plain", refunded: "bad" },
  ...{ deadLetter: "bad", givenUp: "bad", succeeded: "good", failed: "bad", unknown: "plain" },
};
const STEP = { done: "good", failed: "bad", missing: "bad", waiting: "wait", notKept: "plain" };
const PROPOSAL = { open: "wait", approved: "wait", done: "good", refused: "bad", declined: "plain", expired: "plain" };

/** @returns {["good" | "bad" | "wait" | "plain", say: string | [string, object]]} tone and word of a payment's status */
export function payBadge(status) {
  const known = PAY[status];
  return known ? [known, `pay_${status}`] : ["plain", ["asIs", { text: status }]];
}

export function giftBadge(status) {
  return named(GIFT, "gift", status);
}

/** Of a story: of a gift or of a payment. */
export function orderBadge(state) {
  return named(ORDER, "state", state);
}

export function roomBadge(live) {
  return live ? ["good", "roomLive"] : ["plain", "roomOver"];
}

export function stepBadge(state) {
  return named(STEP, "stepState", state);
}

export function proposalBadge(state) {
  return named(PROPOSAL, "proposalState", state);
}

/** A word that this page does not know is shown as it is. */
function named(tones, prefix, state) {
  const known = Object.hasOwn(tones, state);
  return known ? [tones[state], `${prefix}_${state}`] : ["plain", ["asIs", { text: state }]];
}
