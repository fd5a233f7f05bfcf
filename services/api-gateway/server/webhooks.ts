import { z } from "zod";
import { fail } from "../../../broker/failure.ts";
import { problemOfUrl } from "../../../mixins/outgoing/outgoing-url.ts";
import { call } from "../../contracts.ts";
import { fromHttp, nothing, pageOf } from "../../http-fields.ts";
import { deliveryStatus, orderBy, webhookActions } from "../../webhook/webhook.contract.ts";
import { webhookReceivers } from "../../webhook-settings.ts";
import { serverEndpoint } from "./server-endpoint.ts";

const time = z.string().nullable();

const shownWebhook = z.object({
  webhookId: z.string(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()),
  orderBy,
  enabled: z.boolean(),
  disabledReason: z
    .enum(["failing", "gone", "asked"])
    .nullable()
    .meta({ description: "Why it is off: failures for days, an answer with HTTP status 410, or webhooks/update." }),
  disabledTime: time,
  failingSince: time.meta({ description: "Since when no call has succeeded; null after a success." }),
  waiting: z.int().meta({ description: "Deliveries that are to be made." }),
  dropped: z.int().meta({ description: "Deliveries that were dropped since too many waited." }),
  droppedTime: time,
  createTime: z.string(),
});

const shownDelivery = z.object({
  deliveryId: z.string(),
  messageId: z.string().meta({ description: "The header webhook-id, the same in every try." }),
  event: z.string(),
  status: deliveryStatus,
  time: z.string().meta({ description: "When the event came in." }),
  tries: z.int(),
  nextTime: time.meta({ description: "When it is tried next." }),
  lastTime: time.meta({ description: "When the last try ended." }),
  durationMs: z.int().nullable(),
  httpStatus: z.int().nullable(),
  failure: z.string().nullable().meta({ description: "Why the last try has no HTTP status." }),
  answer: z.string().nullable().meta({ description: "How the last answer began." }),
});

const secret = z.string().meta({ description: "`whsec_` and base64, for the Standard Webhooks libraries." });

/** What can be said before the first call. Names are resolved and checked at each connection (mixins/outgoing/). */
function requireCallable(url: string): void {
  const problem = problemOfUrl(url, webhookReceivers());
  if (problem) throw fail("webhookUrlRefused", { field: "url", problem });
}

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
    result: z.object({ webhookId: z.string(), secret }),
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
    result: z.object({ secret }),
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
    result: z.object({ replayed: z.int(), nextFrom: z.string().nullable() }),
    failures: ["webhookUnknown", "deliveryUnknown"],
    run: (ctx, params) => call(ctx, "webhook.replay", params),
  }),
];
