/** The webhooks: where events are posted. */
import { h } from "/js/dom.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { badge, timeOf, viewHead } from "../cells.js";
import { number, time } from "../format.js";
import { button } from "../pieces.js";
import { createTable } from "../table.js";
import { openCreate } from "./webhook-actions.js";

export const webhooksView = { path: "webhooks", title: "webhooksTitle", right: "keys", nav: "system", show };

function show(root, _params, session) {
  const table = createTable({
    ...{ caption: "webhooksTitle", testid: "webhooks", empty: "webhooksNone", signal: session.signal },
    fetchPage: (cursor) => call("webhooks/list", { ...(cursor && { cursor }) }, session),
    href: ({ webhookId }) => hrefOf("webhooks/:webhookId", { webhookId }),
    columns: [
      { key: "webhookUrl", wide: true, cell: urlCell },
      { key: "webhookEvents", cell: ({ events }) => eventMarks(events) },
      { key: "thState", cell: webhookState },
      { key: "webhookWaiting", number: true, cell: waitingCell },
      { key: "thMade", cell: ({ createTime }) => timeOf(createTime) },
    ],
  });
  const add = button("webhookAdd", "webhook-add", () => openCreate(() => table.restart()), "primary");
  root.append(viewHead("webhooksTitle", { lead: "webhooksLead", beside: add }), table.element);
  return table.restart();
}

function urlCell({ webhookId, url, description }) {
  return h(
    "div",
    { class: "stack" },
    h("a", { class: "id", href: hrefOf("webhooks/:webhookId", { webhookId }), text: url }),
    description && h("span", { class: "quiet-text", text: description }),
  );
}

/** The events that a webhook wants, as marks. */
export function eventMarks(events) {
  return h(
    "div",
    { class: "marks" },
    events.map((event) => h("span", { class: "badge badge-plain", text: event })),
  );
}

/** On, off and why, or failing and since when. */
export function webhookState({ enabled, disabledReason, failingSince }) {
  if (!enabled) return badge("bad", `webhookOff_${disabledReason ?? "asked"}`);
  if (failingSince) return badge("wait", ["webhookFailingSince", { time: () => time(failingSince) }]);
  return badge("good", "webhookOn");
}

function waitingCell({ waiting, dropped, droppedTime }) {
  if (!dropped) return number(waiting);
  const vars = { n: () => number(dropped), time: () => time(droppedTime) };
  return h("div", { class: "stack" }, number(waiting), h("span", { class: "bad-text", say: ["webhookDropped", vars] }));
}
