import { call } from "../../contracts.ts";
import { fromHttp, listedNames, nothing, pageOf, yesOrNo } from "../../http-fields.ts";
import {
  requireCallable,
  shownDelivery,
  shownNewWebhook,
  shownReplay,
  shownSecret,
  shownWebhook,
} from "../../shown-webhooks.ts";
import { webhookActions } from "../../webhook/webhook.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

const events = listedNames(webhookActions.create.params.shape.events);

export const webhookEndpoints = [
  staffEndpoint({
    path: "webhooks/list",
    summary: "The webhooks, the oldest first",
    right: "keys",
    params: fromHttp(webhookActions.list),
    result: pageOf(shownWebhook),
    run: (ctx, params) => call(ctx, "webhook.list", params),
  }),

  staffEndpoint({
    path: "webhooks/create",
    summary:
      "Makes a webhook: the events that happen from then on are posted to its URL; no other call shows its secret",
    description: "`writeId`: a UUID that makes a repeat answer the same, as long as the secret is the newest.",
    right: "keys",
    params: { ...fromHttp(webhookActions.create), events },
    result: shownNewWebhook,
    failures: ["webhookLimit", "idempotencyConflict"],
    run(ctx, params) {
      requireCallable(params.url);
      return call(ctx, "webhook.create", params);
    },
  }),

  staffEndpoint({
    path: "webhooks/update",
    summary: "Changes what is given of a webhook, or switches it off or on",
    right: "keys",
    params: { ...fromHttp(webhookActions.update), events: events.optional(), enabled: yesOrNo.optional() },
    result: shownWebhook,
    failures: ["webhookUnknown"],
    run(ctx, params) {
      if (params.url !== undefined) requireCallable(params.url);
      return call(ctx, "webhook.update", params);
    },
  }),

  staffEndpoint({
    path: "webhooks/delete",
    summary: "Removes a webhook with its log; within a second no call of it begins any more",
    right: "keys",
    params: fromHttp(webhookActions.delete),
    result: nothing,
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.delete", params),
  }),

  staffEndpoint({
    path: "webhooks/rotate",
    summary: "Gives a webhook a new secret, which no other call shows; the old one signs beside it for 24 hours",
    right: "keys",
    params: fromHttp(webhookActions.rotate),
    result: shownSecret,
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.rotate", params),
  }),

  staffEndpoint({
    path: "webhooks/deliveries",
    summary: "The log of a webhook, the latest event first",
    right: "keys",
    params: fromHttp(webhookActions.deliveries),
    result: pageOf(shownDelivery),
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.deliveries", params),
  }),

  staffEndpoint({
    path: "webhooks/replay",
    summary: "Makes deliveries again: one, or those of the events of a span of time",
    description:
      "`deliveryId`, or `from` and `to` (ISO times, `to` excluded). Where `nextFrom` is not null there were more.",
    right: "keys",
    params: fromHttp(webhookActions.replay),
    result: shownReplay,
    failures: ["webhookUnknown", "deliveryUnknown"],
    run: (ctx, params) => call(ctx, "webhook.replay", params),
  }),
];
