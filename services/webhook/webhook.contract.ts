import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { cursor, eventTime, isoTime, limit, text } from "../fields.ts";

/** The webhook service as other services see it. */

/** A decimal id of a subscription or a delivery. */
export const webhookId = z.string().regex(/^[1-9]\d{0,18}$/);
export const deliveryId = webhookId;

/** Where an event is to be posted. Whether the address may be called is decided when it is called. */
export const webhookUrl = z
  .string()
  .max(limits.webhook.urlChars)
  .refine((value) => {
    const url = URL.parse(value);
    return !!url && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  });

/** Names of events; the service refuses those that nobody may subscribe to (services/webhook-events.ts). */
const events = z.array(z.string().min(1).max(60)).min(1).max(limits.webhook.eventsPerWebhook);

/**
 * The calls of one room, or of one user, are made one after the other, in the order of the events. An event of several
 * rooms or users has the first one that it names.
 */
export const orderBy = z.enum(["none", "room", "user"]);
export type OrderBy = z.infer<typeof orderBy>;

/** Why a subscription was switched off: failures for days, HTTP status 410, or a call of `update`. */
export type DisabledReason = "failing" | "gone" | "asked";

export interface WebhookView {
  webhookId: string;
  url: string;
  description: string;
  events: string[];
  orderBy: OrderBy;
  enabled: boolean;
  /** Why and since when it is off; null where it is on. */
  disabledReason: DisabledReason | null;
  disabledTime: string | null;
  /** Since when all calls have failed; null after a success. */
  failingSince: string | null;
  /** Deliveries that are to be made, counted up to `limits.metrics.countedRows`. */
  waiting: number;
  /** Deliveries that were dropped for a bound of limits.webhook, and when the last one was. */
  dropped: number;
  droppedTime: string | null;
  createTime: string;
}

/** `waiting`: it is to be made, now or again. */
export const deliveryStatus = z.enum(["waiting", "succeeded", "failed"]);
export type DeliveryStatus = z.infer<typeof deliveryStatus>;

/** A delivery: one event, or part of one, for one subscription. */
export interface DeliveryView {
  deliveryId: string;
  /** The header webhook-id, the same in every try and for every subscription. */
  messageId: string;
  event: string;
  status: DeliveryStatus;
  /** When the event came in. */
  time: string;
  /** Tries since the event came in, or since the last replay. */
  tries: number;
  /** When it is tried next; null where it is not, or waits for an earlier one of its room or user. */
  nextTime: string | null;
  /** Of the last try: when it ended, how long it took, its HTTP status, or why there is none, and how the answer began. */
  lastTime: string | null;
  durationMs: number | null;
  httpStatus: number | null;
  failure: string | null;
  answer: string | null;
}

/** Makes a repeat of a call answer as the first one did; made of the caller's idempotency key. */
const writeId = z.uuid().optional();

export const webhookActions = {
  /**
   * Makes a subscription; durable when it returns. It gets the events that come in from then on. A repeat with the same
   * `writeId` answers the same. Fails: idempotencyConflict (the `writeId` was used for other params), invalidParam (an
   * event that does not exist), webhookLimit, unavailable.
   */
  create: action({
    url: webhookUrl,
    events,
    orderBy: orderBy.default("none"),
    description: text(0, limits.webhook.descriptionChars).default(""),
    writeId,
  }).returns<{ webhookId: string; secret: string }>(),
  /** The subscriptions, the oldest first. Fails: unavailable. */
  list: action({ cursor, limit }).returns<{ list: WebhookView[]; nextCursor: string | null }>(),
  /**
   * Changes what is given; in force on every node within a second. `enabled: true` starts one that was switched off:
   * its waiting deliveries go on. Events that came in meanwhile are not in it. Fails: webhookUnknown, invalidParam,
   * unavailable.
   */
  update: action({
    webhookId,
    url: webhookUrl.optional(),
    events: events.optional(),
    orderBy: orderBy.optional(),
    description: text(0, limits.webhook.descriptionChars).optional(),
    enabled: z.boolean().optional(),
  }).returns<WebhookView>(),
  /**
   * Removes a subscription. No call begins more than a second later; its rows are removed bit by bit. Fails:
   * webhookUnknown, unavailable.
   */
  delete: action({ webhookId }).returns<null>(),
  /**
   * Gives it a new secret. The old one signs beside it for `limits.webhook.oldSecretMs`. A repeat with the `writeId` of
   * the last rotation answers the same. Fails: webhookUnknown, unavailable.
   */
  rotate: action({ webhookId, writeId }).returns<{ secret: string }>(),
  /** The log of a subscription, the latest first. Fails: webhookUnknown, unavailable. */
  deliveries: action({ webhookId, status: deliveryStatus.optional(), cursor, limit }).returns<{
    list: DeliveryView[];
    nextCursor: string | null;
  }>(),
  /**
   * Makes deliveries again that have succeeded or failed: one, or those of the events that came in from `from` and before
   * `to`. At most `limits.webhook.replayedRows`; then `nextFrom` is where to go on, else it is null. Deliveries that wait
   * stay as they are, so a repeat does no harm. Fails: webhookUnknown, deliveryUnknown, invalidParam, unavailable.
   */
  replay: action({
    webhookId,
    deliveryId: deliveryId.optional(),
    from: isoTime.optional(),
    to: isoTime.optional(),
  }).returns<{ replayed: number; nextFrom: string | null }>(),
};

export const webhookEvents = {
  /** A subscription was switched off: its calls have failed for days, or its receiver answered 410. */
  "webhook.disabled": z.object({
    webhookId,
    reason: z.enum(["failing", "gone"]),
    /** Since when its calls have failed. */
    failingSince: eventTime,
    time: eventTime,
  }),
};
