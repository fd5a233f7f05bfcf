import { call } from "../../contracts.ts";
import { fromHttp, nothing, pageOf } from "../../http-fields.ts";
import {
  requireCallable,
  shownDelivery,
  shownNewWebhook,
  shownReplay,
  shownSecret,
  shownWebhook,
} from "../../shown-webhooks.ts";
import { webhookActions } from "../../webhook/webhook.contract.ts";
import { serverEndpoint } from "./server-endpoint.ts";

const changes = fromHttp(webhookActions.update);

export const webhookEndpoints = [
  serverEndpoint({
    path: "webhooks/create",
    summary: "Makes a webhook: the events that happen from then on are posted to its URL",
    description:
      "Keep the secret: no other call shows it again. A repeat with the same Idempotency-Key does, for as long as the " +
      "webhook has this secret as its newest. The URL is https and leads to a public address, unless the system allows " +
      "private ones.",
    scope: "webhooks",
    write: true,
    // The secret is not kept beside the idempotency key: the webhook service finds it by `writeId`.
    rerun: true,
    params: fromHttp(webhookActions.create, "writeId"),
    result: shownNewWebhook,
    failures: ["webhookLimit"],
    run(ctx, params, { writeId }) {
      requireCallable(params.url);
      return call(ctx, "webhook.create", { ...params, writeId });
    },
  }),

  serverEndpoint({
    path: "webhooks/list",
    summary: "The webhooks, the oldest first",
    scope: "webhooks",
    params: fromHttp(webhookActions.list),
    result: pageOf(shownWebhook),
    run: (ctx, params) => call(ctx, "webhook.list", params),
  }),

  serverEndpoint({
    path: "webhooks/update",
    summary: "Changes what is given of a webhook, or switches it off or on",
    description: "Switched on again it goes on with the deliveries that waited. In force within a second.",
    scope: "webhooks",
    write: true,
    params: changes,
    result: shownWebhook,
    failures: ["webhookUnknown"],
    run(ctx, params) {
      if (params.url !== undefined) requireCallable(params.url);
      return call(ctx, "webhook.update", params);
    },
  }),

  serverEndpoint({
    path: "webhooks/delete",
    summary: "Removes a webhook with its log",
    description: "Within a second no call of it begins any more.",
    scope: "webhooks",
    write: true,
    params: fromHttp(webhookActions.delete),
    result: nothing,
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.delete", params),
  }),

  serverEndpoint({
    path: "webhooks/rotate",
    summary: "Gives a webhook a new secret; the old one signs beside it for 24 hours",
    description:
      "A repeat with the same Idempotency-Key shows the same secret, as long as it is the newest. After another rotation " +
      "it makes a new one.",
    scope: "webhooks",
    write: true,
    rerun: true,
    params: fromHttp(webhookActions.rotate, "writeId"),
    result: shownSecret,
    failures: ["webhookUnknown"],
    run: (ctx, params, { writeId }) => call(ctx, "webhook.rotate", { ...params, writeId }),
  }),

  serverEndpoint({
    path: "webhooks/deliveries",
    summary: "The log of a webhook, the latest event first",
    scope: "webhooks",
    params: fromHttp(webhookActions.deliveries),
    result: pageOf(shownDelivery),
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.deliveries", params),
  }),

  serverEndpoint({
    path: "webhooks/replay",
    summary: "Makes deliveries again: one, or those of the events of a span of time",
    description:
      "`deliveryId`, or `from` and `to` (ISO times, `to` excluded). Where `nextFrom` is not null there were more: go on " +
      "from there. The calls have the same webhook-id as the first ones.",
    scope: "webhooks",
    write: true,
    params: fromHttp(webhookActions.replay),
    oneOf: [["deliveryId"], ["from", "to"]],
    result: shownReplay,
    failures: ["webhookUnknown", "deliveryUnknown"],
    run: (ctx, params) => call(ctx, "webhook.replay", params),
  }),
];
