import { createHash } from "node:crypto";
import { z } from "zod";
import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { Unreadable } from "../../mixins/jetstream/unreadable.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import { type DurableEventName, durableEvents } from "../contracts.ts";
import type { ExternalIds } from "../external-names.ts";
import { parseMessage } from "../safe-parse.ts";
import { webhookEventNames } from "../webhook-events.ts";
import { firstState } from "./delivery-state.ts";
import { addDeliveries, type NewDelivery } from "./delivery-store.ts";
import { callsOf, type EventCall, namedIn, type ReceivedEvent } from "./event-calls.ts";
import { addMessages, lockStore } from "./message-store.ts";
import type { OrderBy } from "./webhook.contract.ts";
import { allWebhooks, noteDropped, type Webhook } from "./webhook-store.ts";

interface Parts {
  readonly mysql: Pick<Database, "query" | "run" | "transaction">;
  /** Rejects with `unavailable` where they cannot be looked up. */
  externalIds(named: { userIds: string[]; roomIds: number[] }): Promise<ExternalIds>;
  readonly bounds: { readonly waitingRows: number; readonly keptBytes: number };
  /** Deliveries were stored, and are due on whichever node makes them. */
  stored(): void;
  /** Deliveries of a subscription were dropped. */
  dropped(webhookId: string, deliveries: number, why: string): void;
  readonly log: Log;
}

/** A message of stream EVENTS, not read yet. */
export interface UnreadEvent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const publicNames: ReadonlySet<string> = new Set(webhookEventNames);

/** Compiled once each. */
const schemas = new Map(
  webhookEventNames.map((name) => [name, z.object({ id: z.string(), time: z.string(), data: durableEvents[name] })]),
);

const decoder = new TextDecoder();

/** @throws Unreadable where it is not an event of its name */
function read({ name, bytes }: UnreadEvent): ReceivedEvent {
  const schema = schemas.get(name as DurableEventName) as z.ZodType<Omit<ReceivedEvent, "name">>;
  try {
    return { name, ...parseMessage(schema, JSON.parse(decoder.decode(bytes))) };
  } catch (cause) {
    throw new Unreadable(messageOf(cause), { cause });
  }
}

/**
 * Takes events of stream EVENTS in: stores what is to be posted, and a delivery for each subscription. What no
 * subscription wants is not even parsed.
 */
export class Intake {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Durable when it returns. A repeat adds nothing. Fails: unavailable. @throws Unreadable where one is not an event of
   * its name, or too large: then nothing was stored. After an outage the first transactions of a large batch may be.
   */
  async take(unread: readonly UnreadEvent[]): Promise<void> {
    const named = unread.filter(({ name }) => publicNames.has(name));
    if (named.length === 0) return;
    const webhooks = (await allWebhooks(this.parts.mysql)).filter(({ enabled }) => enabled);
    const wanted = new Set(webhooks.flatMap(({ events }) => events));
    await this.store(named.filter(({ name }) => wanted.has(name)).map(read), webhooks);
  }

  /** Gifts that the books tell again, since their event was lost. As `take`. */
  async takeSettled(gifts: readonly { readonly orderId: string; readonly time: string }[]): Promise<void> {
    const webhooks = (await allWebhooks(this.parts.mysql)).filter(({ enabled }) => enabled);
    if (!webhooks.some(({ events }) => events.includes("gift.settled"))) return;
    const orders = createHash("sha256").update(JSON.stringify(gifts.map(({ orderId }) => orderId)));
    const id = `gift.settled:books:${orders.digest("hex")}`;
    const time = gifts.at(-1)?.time ?? "";
    await this.store([{ id, name: "gift.settled", time, data: { gifts } }], webhooks);
  }

  private async store(events: readonly ReceivedEvent[], webhooks: readonly Webhook[]): Promise<void> {
    if (events.length === 0) return;
    const ids = await this.parts.externalIds(namedIn(events));
    const planned = plan(events, webhooks, ids);
    const { intakeRows } = limits.webhook;
    for (let from = 0; from < planned.length; from += intakeRows) {
      const rows = planned.slice(from, from + intakeRows);
      const dropped = await this.parts.mysql.transaction((tx) => this.insert(tx, rows));
      for (const { webhookId, deliveries, why } of dropped) this.parts.dropped(webhookId, deliveries, why);
      this.parts.stored();
    }
  }

  private async insert(tx: Transaction, planned: readonly Planned[]) {
    const { keptBytes, waitingRows } = this.parts.bounds;
    const isStoreFull = (await lockStore(tx)) >= keptBytes;
    const refusal = ({ waiting }: Webhook) => {
      if (isStoreFull) return "the bodies of all webhooks have reached their bound";
      return waiting >= waitingRows ? "too many deliveries of it wait" : undefined;
    };
    const accepted = planned.filter(({ webhook }) => refusal(webhook) === undefined);
    const calls = new Map(accepted.map(({ call }) => [call.messageId, call]));
    const rows = calls.size === 0 ? new Map<string, string>() : await addMessages(tx, [...calls.values()]);
    await addDeliveries(
      tx,
      accepted.map(({ webhook, call }): NewDelivery => {
        const { orderKey } = call;
        const message = rows.get(call.messageId) as string;
        return { webhookId: webhook.id, message, orderKey, state: firstState(orderKey !== "") };
      }),
    );
    const refused = Map.groupBy(
      planned.filter(({ webhook }) => refusal(webhook) !== undefined),
      ({ webhook }) => webhook,
    );
    const dropped = [...refused].map(([webhook, { length: deliveries }]) => ({
      ...{ webhookId: webhook.id, deliveries, why: refusal(webhook) as string },
    }));
    for (const { webhookId, deliveries } of dropped) await noteDropped(tx, webhookId, deliveries);
    return dropped;
  }
}

interface Planned {
  readonly webhook: Webhook;
  readonly call: EventCall;
}

/** The calls of the events, in their order, with the subscriptions that want them. */
function plan(events: readonly ReceivedEvent[], webhooks: readonly Webhook[], ids: ExternalIds): Planned[] {
  return events.flatMap((event) => {
    const made = new Map<OrderBy, readonly EventCall[]>();
    return webhooks
      .filter((webhook) => webhook.events.includes(event.name))
      .flatMap((webhook) => {
        const calls = made.get(webhook.orderBy) ?? callsOf(event, webhook.orderBy, ids);
        made.set(webhook.orderBy, calls);
        return calls.map((call) => ({ webhook, call }));
      });
  });
}
