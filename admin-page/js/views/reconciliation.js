/** The reconciliation: the compared days, and the differences that nobody has resolved. */
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { openAction } from "../action-dialog.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, idOf, timeOf, viewHead } from "../cells.js";
import { orderLink } from "../columns.js";
import { reasonField } from "../fields.js";
import { number } from "../format.js";
import { bar, button, part } from "../pieces.js";
import { createTable } from "../table.js";

export const reconciliationView = {
  ...{ path: "reconciliation", title: "reconciliationTitle", right: "read", nav: "work", show },
  count: ({ differences }) => differences,
};

const CHANNELS = ["wallet", "wechat", "alipay", "cashier"];
const KINDS = [
  ...["unknown", "notInBill", "amountDiffers", "creditedNotPaid", "paidNotCredited", "refundUnknown"],
  ...["refundNotInBill", "refundDiffers", "refundTwice", "refundNotTaken", "takenNotRefunded"],
];

/** A word of the page for a name that it knows; the name itself for another. */
const wordOr = (known, prefix, name) =>
  known.includes(name) ? h("span", { say: `${prefix}_${name}` }) : h("span", { text: name });

function show(root, params, session) {
  let of = params.date && params.channel ? { date: params.date, channel: params.channel } : {};
  const mayResolve = session.has("parked");
  const clear = button("filterClear", "differences-clear", () => filterBy({}));
  const chosen = h("span", { class: "chosen" });
  const filter = bar(chosen, clear);
  const differences = createTable({
    ...{
      caption: "reconciliationDifferences",
      testid: "differences",
      empty: "reconciliationNone",
      signal: session.signal,
    },
    fetchPage: (cursor) => call("reconciliation/differences", { ...of, ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thDay", cell: dayCell },
      { key: "thKind", cell: ({ kind }) => badgeOf(kind) },
      { key: "thOrder", cell: orderCell },
      { key: "thDetail", wide: true, cell: ({ detail }) => h("span", { text: detail }) },
      { key: "thFound", cell: ({ foundTime }) => timeOf(foundTime) },
      mayResolve && { key: "differenceResolve", hideLabel: true, cell: resolveCell },
    ].filter(Boolean),
  });
  const days = createTable({
    ...{ caption: "reconciliationDays", testid: "days", empty: "reconciliationDaysNone", signal: session.signal },
    fetchPage: () => call("reconciliation/days", {}, session),
    open: ({ date, channel }) => filterBy({ date, channel }),
    columns: [
      { key: "thDay", cell: ({ date }) => h("span", { text: date }) },
      { key: "thChannel", cell: ({ channel }) => wordOr(CHANNELS, "channel", channel) },
      { key: "thCompared", cell: comparedCell },
      { key: "thLines", number: true, cell: ({ compared }) => number(compared) },
      { key: "thOpen", number: true, cell: openCell },
      { key: "thDetail", wide: true, cell: problemCell },
    ],
  });
  root.append(
    viewHead("reconciliationTitle", { lead: "reconciliationLead" }),
    part("reconciliationDifferences", filter, differences.element),
    part("reconciliationDays", days.element),
  );
  showFilter();
  return Promise.all([differences.restart(), days.restart()]);

  function filterBy(next) {
    of = next;
    noteInAddress({ date: of.date, channel: of.channel });
    showFilter();
    filter.scrollIntoView({ block: "center" });
    differences.restart();
  }

  function showFilter() {
    filter.hidden = of.date === undefined;
    chosen.replaceChildren();
    if (of.date !== undefined) chosen.append(`${of.date} · `, wordOr(CHANNELS, "channel", of.channel));
  }

  function resolveCell(difference) {
    return button("differenceResolve", "resolve", () => openResolve(difference, done));
  }

  function done() {
    differences.restart();
    days.restart();
    session.refreshCounts();
  }
}

function dayCell({ date, channel }) {
  return h("div", { class: "stack nowrap" }, h("span", { text: date }), wordOr(CHANNELS, "channel", channel));
}

/** The provider's id of the payment below the order. */
function orderCell({ orderId, transactionId }) {
  const payment = transactionId && h("span", { class: "id quiet-text", tip: "thTransaction", text: transactionId });
  return h("div", { class: "stack" }, h("span", {}, orderLink(orderId || null)), payment);
}

function badgeOf(kind) {
  return h("span", { class: "badge badge-bad", title: kind }, wordOr(KINDS, "difference", kind));
}

function comparedCell({ comparedTime }) {
  return comparedTime ? timeOf(comparedTime) : h("span", { class: "quiet-text", say: "notCompared" });
}

function openCell({ open }) {
  return open > 0 ? badge("bad", ["asIs", { text: () => number(open) }]) : number(open);
}

function problemCell({ problem }) {
  return problem ? h("span", { class: "bad-text", say: ["dayProblem", { problem }] }) : undefined;
}

function openResolve(difference, after) {
  const { id, date, channel, kind, orderId, transactionId, detail } = difference;
  openAction({
    ...{ testid: "resolve", title: "differenceResolveTitle", yes: "differenceResolve", fields: [reasonField()], after },
    about: [
      ["thDay", `${date} · ${CHANNELS.includes(channel) ? translate(`channel_${channel}`) : channel}`],
      ["thKind", wordOr(KINDS, "difference", kind)],
      ["thOrder", idOf(orderId || null)],
      ["thTransaction", transactionId && idOf(transactionId)],
      ["thDetail", detail],
    ],
    effects: () => ["differenceResolveWhat"],
    run: ({ reason }) => call("reconciliation/resolve", { id, reason }),
    done: () => ({ text: ["differenceResolved", { id }] }),
  });
}
