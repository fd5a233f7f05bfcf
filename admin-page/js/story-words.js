/** The words of a story: of each step, and of those values that are names of the services. */

export const STEPS = Object.freeze([
  ...["accepted", "charged", "recorded", "event", "frame", "notice", "deadLetter", "refundedWith", "hold"],
  ...["created", "paid", "parked", "message", "credited", "refundAsked", "refunded", "debt", "difference", "proposal"],
]);

/** Steps of a name that two services have: the words of the one that is not the provider's side of it. */
const OF_SERVICE = { "notice notification": "notification", "refunded wallet": "coinsTaken" };

/** @returns {string | undefined} the key of a step's name; nothing for one that this page does not know */
export function stepWord({ what, service }) {
  const own = OF_SERVICE[`${what} ${service}`];
  return own || STEPS.includes(what) ? `step_${own ?? what}` : undefined;
}

const words = (prefix, names) => Object.fromEntries(names.map((name) => [name, `${prefix}_${name}`]));

/** Channels of payments by the number that orders have (services/payment/providers). */
const CHANNEL_NUMBERS = { 0: "channel_alipay", 1: "channel_wechat", 3: "channel_cashier" };
const ORDER_STATES = ["waiting", "paying", "paid", "cancelled", "invalid", "refunded", "succeeded", "failed"];

/** Values that mean the same in every step. */
const VALUES = {
  payChannel: CHANNEL_NUMBERS,
  channel: words("channel", ["wallet", "wechat", "alipay", "cashier"]),
  source: words("source", ["1", "2"]),
  effect: words("effect", ["credit", "refund", "coins"]),
  share: words("share", ["open", "held", "released"]),
  change: words("change", ["left", "paidOff"]),
  origin: words("origin", ["operator", "provider"]),
  outcome: {
    ...words("state", ["succeeded", "failed"]),
    ...words("notice", ["applied", "repeated", "ignored", "parked", "refused"]),
  },
  mark: words("mark", [
    ...["topicMissing", "creditHeld", "creditChanged", "paidWhenClosed", "paidTwice", "refundPartial"],
    ...["refundUnclear", "refundFailed", "refundChanged", "neverCredited"],
  ]),
  confirmed: { 1: "yes" },
};

/** Values whose meaning is the step's. */
const OF_STEP = {
  deadLetter: { decision: words("dead", ["replay", "giveUp"]), state: { begun: "deadBegun", done: "stepState_done" } },
  proposal: {
    kind: words("moveKind", [
      ...["refund", "release", "adjust", "payout", "hold", "releaseHold", "holdFree", "releaseFree", "erase"],
    ]),
    state: words("proposalState", ["open", "approved", "done", "refused", "declined", "expired"]),
  },
  difference: {
    kind: words("difference", [
      ...["unknown", "notInBill", "amountDiffers", "creditedNotPaid", "paidNotCredited", "refundUnknown"],
      ...["refundNotInBill", "refundDiffers", "refundTwice", "refundNotTaken", "takenNotRefunded"],
    ]),
  },
  paid: { state: words("state", ORDER_STATES) },
  refunded: { state: words("refundState", ["requested", "processing", "done", "failed"]) },
};

/** @returns {string | undefined} the key of a value's word; nothing where the value is shown as it is */
export function valueWord(what, name, value) {
  const table = OF_STEP[what]?.[name] ?? VALUES[name];
  return table && Object.hasOwn(table, value) ? table[value] : undefined;
}
