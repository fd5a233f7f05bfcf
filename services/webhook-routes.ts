import type { CallingContext } from "../mixins/http/endpoint-form.ts";
import { call, type ParamsOf } from "./contracts.ts";
import { fromHttp, nothing, pageOf } from "./http-fields.ts";
import { requireCallable, shownDelivery, shownReplay, shownWebhook } from "./shown-webhooks.ts";
import { webhookActions } from "./webhook/webhook.contract.ts";

/**
 * The routes of webhooks that both gateways offer alike. Each gateway adds who may call them. Those that show a secret
 * (`webhooks/create`, `webhooks/rotate`) differ in how a repeat is known, and stand with their gateway.
 */
export const webhookRoutes = {
  list: {
    path: "webhooks/list",
    summary: "The webhooks, the oldest first",
    params: fromHttp(webhookActions.list),
    result: pageOf(shownWebhook),
    run: (ctx: CallingContext, params: ParamsOf<"webhook.list">) => call(ctx, "webhook.list", params),
  },

  update: {
    path: "webhooks/update",
    summary: "Changes what is given of a webhook, or switches it off or on",
    description: "Switched on again it goes on with the deliveries that waited. In force within a second.",
    params: fromHttp(webhookActions.update),
    result: shownWebhook,
    failures: ["webhookUnknown"],
    run(ctx: CallingContext, params: ParamsOf<"webhook.update">) {
      if (params.url !== undefined) requireCallable(params.url);
      return call(ctx, "webhook.update", params);
    },
  },

  delete: {
    path: "webhooks/delete",
    summary: "Removes a webhook with its log",
    description: "Within a second no call of it begins any more.",
    params: fromHttp(webhookActions.delete),
    result: nothing,
    failures: ["webhookUnknown"],
    run: (ctx: CallingContext, params: ParamsOf<"webhook.delete">) => call(ctx, "webhook.delete", params),
  },

  deliveries: {
    path: "webhooks/deliveries",
    summary: "The log of a webhook, the latest event first",
    params: fromHttp(webhookActions.deliveries),
    result: pageOf(shownDelivery),
    failures: ["webhookUnknown"],
    run: (ctx: CallingContext, params: ParamsOf<"webhook.deliveries">) => call(ctx, "webhook.deliveries", params),
  },

  replay: {
    path: "webhooks/replay",
    summary: "Makes deliveries again: one, or those of the events of a span of time",
    description:
      "`deliveryId`, or `from` and `to` (ISO times, `to` excluded). Where `nextFrom` is not null there were more: go on " +
      "from there. The calls have the same webhook-id as the first ones.",
    params: fromHttp(webhookActions.replay),
    result: shownReplay,
    failures: ["webhookUnknown", "deliveryUnknown"],
    run: (ctx: CallingContext, params: ParamsOf<"webhook.replay">) => call(ctx, "webhook.replay", params),
  },
} as const;
