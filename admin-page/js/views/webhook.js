/** One webhook: its settings, its actions, and the log of its deliveries. */
import { h } from "/js/dom.js";
import { say } from "/js/language.js";
import { hrefOf, noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, facts, idOf, timeOf, viewHead } from "../cells.js";
import { number, time } from "../format.js";
import { bar, button, buttons, choice, part } from "../pieces.js";
import { createTable } from "../table.js";
import { openChange, openDelete, openDisable, openEnable, openReplayOne, openRotate } from "./webhook-actions.js";
import { openReplayRange } from "./webhook-replay.js";
import { eventMarks, webhookState } from "./webhooks.js";

export const webhookView = { path: "webhooks/:webhookId", title: "webhooksTitle", right: "keys", show };

const STATES = ["waiting", "succeeded", "failed"];
const FAILURES = [
  ...["timedOut", "connectionFailed", "nameNotFound", "refusedAddress", "refusedUrl", "invalidAnswer"],
  "secretUnreadable",
];

async function show(root, { webhookId, status: given }, session) {
  const head = h("div", { class: "part" });
  const found = await refresh();
  root.append(h("p", {}, h("a", { href: hrefOf("webhooks"), say: "webhookBack" })), head);
  if (!found || session.signal.aborted) return;

  let status = STATES.includes(given) ? given : "";
  const table = createTable({
    ...{ caption: "deliveriesTitle", testid: "deliveries", empty: "deliveriesNone", signal: session.signal },
    fetchPage: (cursor) =>
      call("webhooks/deliveries", { webhookId, ...(status && { status }), ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thTime", cell: ({ time: at }) => timeOf(at) },
      { key: "thEvent", cell: eventCell },
      { key: "thState", cell: stateCell },
      { key: "thTries", number: true, cell: ({ tries }) => number(tries) },
      { key: "thAnswer", wide: true, cell: lastCell },
      { key: "webhookReplay", hideLabel: true, cell: replayCell },
    ],
  });
  const choices = [["", "deliveryAny"], ...STATES.map((name) => [name, `delivery_${name}`])];
  const which = choice({ label: "thState", testid: "deliveries-status", choices, value: status }, (chosen) => {
    status = chosen;
    noteInAddress({ status });
    table.restart();
  });
  const again = button("webhookReplayRange", "webhook-replay", () => openReplayRange(found, () => table.restart()), "");
  root.append(part("deliveriesTitle", bar(which, again), table.element));
  await table.restart();

  async function refresh() {
    const webhook = await findWebhook(webhookId, session);
    if (session.signal.aborted) return undefined;
    if (!webhook) {
      const gone = h("p", { class: "empty", testid: "webhook-gone" });
      say(gone, "webhookGone");
      head.replaceChildren(gone);
      return undefined;
    }
    head.replaceChildren(...headOf(webhook, refresh));
    return webhook;
  }

  function replayCell(delivery) {
    if (delivery.status === "waiting") return h("span", {});
    const open = () => openReplayOne({ webhookId }, delivery, () => table.restart());
    return buttons(button("webhookReplay", "delivery-replay", open));
  }
}

/** There are a few dozen webhooks at the most, and no route for one. */
async function findWebhook(webhookId, session) {
  let cursor;
  do {
    const page = await call("webhooks/list", { ...(cursor && { cursor }) }, session);
    const found = page.list.find((webhook) => webhook.webhookId === webhookId);
    if (found) return found;
    cursor = page.nextCursor;
  } while (cursor && !session.signal.aborted);
  return undefined;
}

function headOf(webhook, refresh) {
  const { webhookId, url, enabled, events, orderBy, description, waiting, disabledTime, createTime, dropped } = webhook;
  const droppedVars = { n: () => number(dropped), time: () => time(webhook.droppedTime) };
  const turn = enabled
    ? button("webhookDisable", "webhook-disable", () => openDisable(webhook, refresh), "")
    : button("webhookEnable", "webhook-enable", () => openEnable(webhook, refresh), "primary");
  const actions = [
    button("webhookChange", "webhook-change", () => openChange(webhook, refresh), ""),
    button("webhookRotate", "webhook-rotate", () => openRotate(webhook, refresh), ""),
    turn,
    button("webhookDelete", "webhook-delete", () => openDelete(webhook, refresh), "danger"),
  ];
  return [
    viewHead(["webhookTitle", { id: webhookId }], { beside: actions }),
    facts([
      ["webhookUrl", h("span", { class: "id", text: url })],
      ["thState", webhookState(webhook)],
      disabledTime && ["thTime", timeOf(disabledTime)],
      ["webhookEvents", eventMarks(events)],
      ["webhookOrder", h("span", { say: `webhookOrder_${orderBy}` })],
      ["webhookDescription", description],
      ["webhookWaiting", number(waiting)],
      dropped > 0 && ["thDetail", h("span", { class: "bad-text", say: ["webhookDropped", droppedVars] })],
      ["thMade", timeOf(createTime)],
    ]),
  ];
}

function eventCell({ event, messageId }) {
  return h("div", { class: "stack" }, h("span", { text: event }), h("span", { class: "quiet-text" }, idOf(messageId)));
}

function stateCell({ status }) {
  return badge({ waiting: "wait", succeeded: "good" }[status] ?? "bad", `delivery_${status}`);
}

function lastCell({ lastTime, httpStatus, durationMs, failure, answer, nextTime }) {
  if (!lastTime) return h("span", { class: "quiet-text", say: "deliveryNotTried" });
  const what = failure
    ? FAILURES.includes(failure)
      ? h("span", { class: "bad-text", say: `failure_${failure}` })
      : h("span", { class: "bad-text", text: failure })
    : h("span", { say: ["deliveryStatus", { status: httpStatus ?? "–", ms: () => number(durationMs) }] });
  return h(
    "div",
    { class: "stack" },
    h("span", {}, timeOf(lastTime), " · ", what),
    nextTime && h("span", { class: "quiet-text", say: ["deliveryNext", { time: () => time(nextTime) }] }),
    answer && h("details", {}, h("summary", { say: "deliveryAnswer" }), h("pre", { class: "body-text", text: answer })),
  );
}
