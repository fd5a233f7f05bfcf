import { call } from "../../contracts.ts";
import { fromHttp } from "../../http-fields.ts";
import { requireCallable, shownNewWebhook, shownSecret } from "../../shown-webhooks.ts";
import { webhookActions } from "../../webhook/webhook.contract.ts";
import { webhookRoutes } from "../../webhook-routes.ts";
import { serverEndpoint } from "./server-endpoint.ts";

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

  serverEndpoint({ ...webhookRoutes.list, scope: "webhooks" }),

  serverEndpoint({ ...webhookRoutes.update, scope: "webhooks", write: true }),

  serverEndpoint({ ...webhookRoutes.delete, scope: "webhooks", write: true }),

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

  serverEndpoint({ ...webhookRoutes.deliveries, scope: "webhooks" }),

  serverEndpoint({
    ...webhookRoutes.replay,
    scope: "webhooks",
    write: true,
    oneOf: [["deliveryId"], ["from", "to"]],
  }),
];
