import { z } from "zod";
import { fail } from "../broker/failure.ts";
import { problemOfUrl } from "../mixins/outgoing/outgoing-url.ts";
import { deliveryStatus, orderBy } from "./webhook/webhook.contract.ts";
import { webhookReceivers } from "./webhook-settings.ts";

/** Webhooks in the answers of both gateways. */

const time = z.string().nullable();

export const shownWebhook = z.object({
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

export const shownDelivery = z.object({
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

export const shownNewWebhook = z.object({ webhookId: z.string(), secret });

export const shownSecret = z.object({ secret });

export const shownReplay = z.object({
  replayed: z.int(),
  nextFrom: z.string().nullable().meta({ description: "Where to go on; null where that was all." }),
});

/**
 * What can be said before the first call. Names are resolved and checked at each connection (mixins/outgoing/). Fails:
 * webhookUrlRefused.
 */
export function requireCallable(url: string): void {
  const problem = problemOfUrl(url, webhookReceivers());
  if (problem) throw fail("webhookUrlRefused", { field: "url", problem });
}
