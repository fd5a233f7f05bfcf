/** Orders that wait for a person, with what may be done about each mark. */
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { openAction } from "../action-dialog.js";
import { refund, release } from "../actions/money.js";
import { hrefOf, noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, idOf, timeOf, viewHead } from "../cells.js";
import { orderLink, userLink } from "../columns.js";
import { reasonField } from "../fields.js";
import { number, yuan } from "../format.js";
import { actionsOf, marks, uncredited } from "../parked-actions.js";
import { bar, button, buttons, choice, linkButton } from "../pieces.js";
import { createTable } from "../table.js";
import { payBadge } from "../tones.js";

export const parkedView = {
  ...{ path: "parked", title: "parkedTitle", right: "read", nav: "work", show },
  count: ({ parked }) => parked,
};

function show(root, params, session) {
  let mark = marks.includes(params.mark) ? params.mark : "";
  const table = createTable({
    ...{ caption: "parkedTitle", testid: "parked", empty: "parkedNone", signal: session.signal },
    fetchPage: (cursor) => call("parked/list", { ...(mark && { mark }), ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thOrder", cell: orderCell },
      { key: "thUser", cell: ({ userId }) => userLink(userId) },
      { key: "thAmount", number: true, cell: ({ amount }) => yuan(amount) },
      { key: "thCoins", number: true, cell: ({ coinNum }) => number(coinNum) },
      { key: "parkedMark", wide: true, cell: (order) => order.marks.map((one) => markCell(order, one, session, done)) },
    ],
  });
  const choices = [["", "parkedAnyMark"], ...marks.map((name) => [name, `mark_${name}`])];
  const which = choice({ label: "parkedMark", testid: "parked-mark", choices, value: mark }, (chosen) => {
    mark = chosen;
    noteInAddress({ mark });
    table.restart();
  });
  root.append(viewHead("parkedTitle", { lead: "parkedLead" }), bar(which), table.element);
  return table.restart();

  function done() {
    table.restart();
    session.refreshCounts();
  }
}

function orderCell({ orderId, status }) {
  return h(
    "div",
    { class: "stack" },
    h("span", { testid: "parked-order" }, orderLink(orderId)),
    h("span", {}, badge(...payBadge(status))),
  );
}

function markCell(order, mark, session, done) {
  const { mine, others } = actionsOf(mark, session.rights);
  return h(
    "div",
    { class: "mark", testid: `mark-${mark.mark}` },
    h(
      "p",
      { class: "mark-head" },
      badge("wait", `mark_${mark.mark}`),
      h("span", { class: "quiet-text" }, timeOf(mark.since)),
      mark.transactionId && h("span", { class: "id quiet-text", say: ["parkedPayment", { id: mark.transactionId }] }),
    ),
    h("p", { class: "mark-why", say: `markWhy_${mark.mark}` }),
    mine.length > 0 && buttons(...mine.map(({ action, say }) => actionButton(action, say, order, mark, done))),
    others.length > 0 && h("p", { class: "quiet-text" }, notYours(others)),
    mine.length + others.length === 0 && h("p", { class: "quiet-text", say: "parkedNoAction" }),
  );
}

function notYours(others) {
  const words = others.flatMap(({ say }, index) => [index > 0 && ", ", h("span", { say })]);
  return [h("span", { say: "parkedNotYours" }), " ", ...words];
}

function actionButton(action, word, order, mark, done) {
  if (action === "setTopic") return linkButton(word, "parked-setTopic", hrefOf("topics"));
  const open = { release: (of, _mark, after) => release(of, after), refund: openRefund, remove: openRemove }[action];
  return button(word, `parked-${action}`, () => open(order, mark, done));
}

function aboutOrder({ orderId, userId, amount, coinNum }, { mark }) {
  return [
    ["thOrder", idOf(orderId)],
    ["thUser", idOf(userId)],
    ["thAmount", yuan(amount)],
    ["thCoins", number(coinNum)],
    ["parkedMark", h("span", { say: `mark_${mark}` })],
  ];
}

const toOrder = (orderId) => ({ say: "openOrder", href: hrefOf("order/:orderId", { orderId }) });

/** Of a credited order it takes the coins back, as from its own page. */
function openRefund(order, mark, after) {
  if (!uncredited.includes(mark.mark)) {
    refund(order, after);
    return;
  }
  const { orderId, amount } = order;
  openAction({
    ...{ testid: "refund", title: "refundTitle", yes: "refundYes", danger: true, fields: [reasonField()], after },
    moves: true,
    about: aboutOrder(order, mark),
    effects: () => [["parkedRefundWhat", { money: () => yuan(amount) }], "parkedRefundWasMade", "moneyBound"],
    run: ({ reason }) => call("order/refund", { orderId, reason }),
    done: () => ({ text: "refundDone", note: "noUndo", link: toOrder(orderId) }),
  });
}

function openRemove(order, { mark, transactionId }, after) {
  const { orderId } = order;
  const what =
    mark === "refundFailed"
      ? "parkedRemoveFailedWhat"
      : ["parkedRemoveWhat", { mark: () => translate(`mark_${mark}`) }];
  openAction({
    ...{ testid: "remove", title: "parkedRemove", yes: "parkedRemove", danger: true, fields: [reasonField()], after },
    about: [...aboutOrder(order, { mark }), transactionId && ["thTransaction", idOf(transactionId)]],
    effects: () => [what],
    run: ({ reason }) => call("parked/remove", { orderId, mark, ...(transactionId && { transactionId }), reason }),
    done: ({ removed }) => ({
      text: [removed ? "parkedRemoved" : "parkedWasOff", { id: orderId }],
      link: toOrder(orderId),
    }),
  });
}
