/** The steps of an order on a vertical line: time, how long after the step before, state by colour and word, the data. */
import { h } from "/js/dom.js";
import { hrefOf } from "./address.js";
import { badge, idOf, timeOf } from "./cells.js";
import { duration, number, yuan } from "./format.js";
import { stepWord, valueWord } from "./story-words.js";
import { stepBadge } from "./tones.js";

const DATA = new Set([
  ...["amount", "coins", "points", "price", "count", "income", "incomePoints", "balanceAfter", "productName"],
  ...["transactionId", "channel", "outcome", "reason", "state", "mark", "kind", "detail", "by", "attempts", "problem"],
  ...["orderId", "anchorId", "sequence", "before", "acceptedTime", "nextTime", "expireTime", "resolvedTime"],
  ...["resolveReason", "releasedTime", "releaseReason", "origin", "decidedBy", "decidedTime", "proposalId"],
  ...["productId", "payChannel", "source", "asked", "effect", "subject", "name", "bizId", "change"],
  ...["decision", "doneTime", "decisionReason"],
]);

const LINKS = {
  orderId: (id) => hrefOf("order/:orderId", { orderId: id }),
  refundedOrderId: (id) => hrefOf("order/:orderId", { orderId: id }),
  userId: (id) => hrefOf("user/:userId", { userId: id }),
  anchorId: (id) => hrefOf("user/:userId", { userId: id }),
  receiverId: (id) => hrefOf("user/:userId", { userId: id }),
  roomId: (id) => hrefOf("room/:roomId", { roomId: id }),
};

/** @param {{what: string, time: string | null, state: string, service: string, data: object}[]} steps in their order */
export function storyLine(steps) {
  let before; // milliseconds of the last step that has a time
  const rows = steps.map((step) => {
    const at = step.time ? new Date(step.time).getTime() : undefined;
    const after = before !== undefined && at !== undefined ? at - before : undefined;
    before = at ?? before;
    return stepRow(step, after);
  });
  return h("ol", { class: "story", testid: "story" }, rows);
}

function stepRow({ what, time, state, service, data }, afterMs) {
  const [tone, word] = stepBadge(state);
  return h(
    "li",
    { class: `step step-${tone}`, testid: "step", "data-what": what, "data-state": state },
    h("span", { class: "step-mark", "aria-hidden": "true" }),
    h(
      "div",
      { class: "step-when" },
      time ? timeOf(time) : h("span", { class: "quiet-text", say: state === "waiting" ? "stepToCome" : "stepNoTime" }),
      afterMs !== undefined && h("span", { class: "step-after", say: ["stepAfter", { time: duration(afterMs) }] }),
    ),
    h(
      "div",
      { class: "step-what" },
      h(
        "p",
        { class: "step-title" },
        h("strong", { say: stepWord({ what, service }) ?? ["asIs", { text: what }], title: what }),
        badge(tone, word),
        h("span", { class: "step-service", text: service ?? "" }),
      ),
      dataOf(what, data),
    ),
  );
}

/** Names in words, with the services' own in the title: who reads this compares them with a log. The rest as it is. */
function dataOf(what, data) {
  const pairs = Object.entries(data ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (pairs.length === 0) return undefined;
  return h(
    "dl",
    { class: "step-data" },
    pairs.map(([name, value]) =>
      h(
        "div",
        {},
        h("dt", DATA.has(name) ? { say: `data_${name}`, tip: ["asIs", { text: name }] } : { text: name }),
        h("dd", {}, shown(what, name, value)),
      ),
    ),
  );
}

function shown(what, name, value) {
  const word = valueWord(what, name, value);
  if (word) return h("span", { say: word, title: String(value) });
  if (LINKS[name]) return idOf(value, LINKS[name](value));
  if (name === "amount") return yuan(value);
  if (typeof value === "number") return number(value);
  return /^\d{4}-\d\d-\d\dT/.test(value) ? timeOf(value) : String(value);
}
