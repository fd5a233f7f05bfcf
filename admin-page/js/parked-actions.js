/** What a person may do about a mark of a parked order. */

/** The marks, in the order of the documents. */
export const marks = Object.freeze([
  ...["topicMissing", "creditHeld", "creditChanged", "paidWhenClosed", "paidTwice"],
  ...["refundPartial", "refundUnclear", "refundFailed", "refundChanged"],
]);

/** Those of orders that no coins were given for. */
export const uncredited = Object.freeze(["topicMissing", "creditHeld", "creditChanged"]);

/** The right that each action needs. */
const rightOf = Object.freeze({ setTopic: "topics", release: "release", refund: "refund", remove: "parked" });

const wordOf = Object.freeze({
  ...{ setTopic: "parkedTopic", release: "parkedRelease", refund: "parkedRefund", remove: "parkedRemove" },
});

/**
 * The actions that the server allows for a mark, divided by whether the person's role has them. An action that this page
 * does not know is left out: a newer server may name one.
 * @param {{actions: readonly string[]}} mark
 * @param {readonly string[]} rights
 * @returns {{mine: {action: string, say: string}[], others: {action: string, say: string}[]}}
 */
export function actionsOf({ actions }, rights) {
  const known = actions.filter((action) => Object.hasOwn(rightOf, action));
  const described = known.map((action) => ({ action, say: wordOf[action] }));
  return {
    mine: described.filter(({ action }) => rights.includes(rightOf[action])),
    others: described.filter(({ action }) => !rights.includes(rightOf[action])),
  };
}
