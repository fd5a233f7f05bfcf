/** What may be done about a webhook. */

import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { bounds } from "../bounds.js";
import { editOf } from "../edits.js";
import { choiceField, textField } from "../fields.js";
import { manyField } from "../many-field.js";
import { webhookEvents } from "../offered.js";
import { refusal, secretBox } from "../pieces.js";

const ORDERS = ["none", "room", "user"];

function fieldsOf({ url = "", events = [], orderBy = "none", description = "" } = {}) {
  return [
    textField({ name: "url", label: "webhookUrl", value: url, maxlength: bounds.webhookUrlChars, inputmode: "url" }),
    manyField({
      ...{ name: "events", label: "webhookEvents", missing: "webhookEventsNone", value: events },
      choices: webhookEvents.map((name) => ({ value: name })),
    }),
    choiceField({
      ...{ name: "orderBy", label: "webhookOrder", value: orderBy },
      choices: ORDERS.map((order) => [order, `webhookOrder_${order}`]),
    }),
    textField({
      ...{ name: "description", label: "webhookDescription", value: description, required: false },
      maxlength: bounds.webhookDescriptionChars,
    }),
  ];
}

const about = ({ url, description }) => [
  ["webhookUrl", url],
  ["webhookDescription", description],
];

/** Makes a webhook and shows its secret, once. The undo removes it with its log. */
export function openCreate(after) {
  // Of one dialog: sent again after a failure, it is the same webhook.
  const writeId = crypto.randomUUID?.() ?? undefined;
  openAction({
    ...{ testid: "webhook", title: "webhookAdd", yes: "webhookAdd", fields: fieldsOf(), after },
    effects: () => ["webhookAddWhat"],
    run: (values) => call("webhooks/create", { ...values, ...(writeId && { writeId }) }),
    done: ({ webhookId, secret }, values) => ({
      text: ["webhookMade", { id: webhookId }],
      show: secretBox(secret, "webhook-secret"),
      note: "webhookSecretOnce",
      undo: { say: "webhookDelete", open: () => openDelete({ webhookId, ...values }, after) },
    }),
  });
}

/** @param {object} [preset] what stands in the fields in place of its values: an undo */
export function openChange(webhook, after, preset = {}) {
  const { webhookId } = webhook;
  const edit = (values) => editOf(webhook, { ...values, description: values.description ?? "" });
  openAction({
    ...{ testid: "webhook-change", title: "webhookChange", yes: "save", after },
    fields: fieldsOf({ ...webhook, ...preset }),
    effects: () => ["webhookChangeWhat"],
    run(values) {
      const { set, names } = edit(values);
      if (names.length === 0) throw refusal("nothingChanged");
      return call("webhooks/update", { webhookId, ...set });
    },
    done: (answer, values) => ({
      text: ["webhookChanged", { id: webhookId }],
      undo: { say: "undoIt", open: () => openChange(answer, after, edit(values).undo) },
    }),
  });
}

/** Deliveries that wait are kept. Events that happen while it is off are never delivered. */
export function openDisable(webhook, after) {
  const { webhookId } = webhook;
  openAction({
    ...{ testid: "webhook-disable", title: "webhookDisable", yes: "webhookDisable", danger: true, after },
    about: about(webhook),
    effects: () => ["webhookDisableWhat"],
    run: () => call("webhooks/update", { webhookId, enabled: false }),
    done: (answer) => ({
      text: ["webhookDisabled", { id: webhookId }],
      undo: { say: "webhookEnable", open: () => openEnable(answer, after) },
    }),
  });
}

/** Deliveries that waited go on; events that happened while it was off are not made up for. */
export function openEnable(webhook, after) {
  const { webhookId } = webhook;
  openAction({
    ...{ testid: "webhook-enable", title: "webhookEnable", yes: "webhookEnable", after },
    about: about(webhook),
    effects: () => ["webhookEnableWhat"],
    run: () => call("webhooks/update", { webhookId, enabled: true }),
    done: (answer) => ({
      text: ["webhookEnabled", { id: webhookId }],
      undo: { say: "webhookDisable", open: () => openDisable(answer, after) },
    }),
  });
}

/** Shows the new secret, once. The old one signs beside it for 24 hours, so no undo is needed. */
export function openRotate(webhook, after) {
  const { webhookId } = webhook;
  const writeId = crypto.randomUUID?.() ?? undefined;
  openAction({
    ...{ testid: "webhook-rotate", title: "webhookRotate", yes: "webhookRotate", after },
    about: about(webhook),
    effects: () => ["webhookRotateWhat"],
    run: () => call("webhooks/rotate", { webhookId, ...(writeId && { writeId }) }),
    done: ({ secret }) => ({
      text: ["webhookRotated", { id: webhookId }],
      show: secretBox(secret, "webhook-secret"),
      note: "webhookSecretOnce",
    }),
  });
}

/** Removes it with its log, without an undo. */
export function openDelete(webhook, after) {
  const { webhookId } = webhook;
  openAction({
    ...{ testid: "webhook-delete", title: "webhookDelete", yes: "webhookDelete", danger: true, after },
    about: about(webhook),
    effects: () => ["webhookDeleteWhat"],
    run: () => call("webhooks/delete", { webhookId }),
    done: () => ({ text: ["webhookDeleted", { id: webhookId }] }),
  });
}

/** Makes one delivery again, with the same webhook-id. */
export function openReplayOne({ webhookId }, { deliveryId, event }, after) {
  openAction({
    ...{ testid: "delivery-replay", title: "webhookReplay", yes: "webhookReplay", after },
    about: [["thEvent", event]],
    effects: () => ["webhookReplayOneWhat"],
    run: () => call("webhooks/replay", { webhookId, deliveryId }),
    done: ({ replayed }) => ({ text: ["webhookReplayed", { n: replayed }] }),
  });
}
