import { call } from "../../contracts.ts";
import { fromHttp, listedNames, yesOrNo } from "../../http-fields.ts";
import { requireCallable, shownNewWebhook, shownSecret } from "../../shown-webhooks.ts";
import { webhookActions } from "../../webhook/webhook.contract.ts";
import { webhookRoutes } from "../../webhook-routes.ts";
import { staffEndpoint } from "./endpoint.ts";

const events = listedNames(webhookActions.create.params.shape.events);

export const webhookEndpoints = [
  staffEndpoint({ ...webhookRoutes.list, right: "keys" }),

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
    ...webhookRoutes.update,
    right: "keys",
    params: { ...webhookRoutes.update.params, events: events.optional(), enabled: yesOrNo.optional() },
  }),

  staffEndpoint({ ...webhookRoutes.delete, right: "keys" }),

  staffEndpoint({
    path: "webhooks/rotate",
    summary: "Gives a webhook a new secret, which no other call shows; the old one signs beside it for 24 hours",
    right: "keys",
    params: fromHttp(webhookActions.rotate),
    result: shownSecret,
    failures: ["webhookUnknown"],
    run: (ctx, params) => call(ctx, "webhook.rotate", params),
  }),

  staffEndpoint({ ...webhookRoutes.deliveries, right: "keys" }),

  staffEndpoint({ ...webhookRoutes.replay, right: "keys" }),
];
