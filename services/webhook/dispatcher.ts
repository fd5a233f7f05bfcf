import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { OutgoingHttp } from "../../mixins/outgoing/outgoing-http.ts";
import { limitsOf } from "../limits-of.ts";
import type { SealedSecrets } from "../sealed-secrets.ts";
import { dueOf } from "./delivery-reads-store.ts";
import { KeyPromotion } from "./key-promotion.ts";
import { type Body, bodiesOf } from "./message-store.ts";
import type { WebhookMetrics } from "./metrics.ts";
import { type Disabled, OutcomeWriter } from "./outcome-writer.ts";
import { Ownership } from "./ownership.ts";
import { Sender, type UnderWay } from "./sender.ts";
import type { Webhook } from "./webhook-store.ts";

interface Parts {
  readonly service: Service & MysqlState & OutboxState;
  readonly http: OutgoingHttp;
  readonly secrets: SealedSecrets;
  readonly metrics: WebhookMetrics;
}

/**
 * Makes the calls of the subscriptions that belong to this node (ownership.ts). A round reads the due deliveries of all
 * of them that have room, and awaits none of their calls: a receiver that hangs delays its own subscription alone.
 */
export class Dispatcher {
  private readonly parts: Parts;
  private readonly bounds: ReturnType<typeof limitsOf<typeof limits.webhook>>;
  private readonly senders = new Map<string, Sender>();
  /** Senders whose subscription belongs to another node by now, until their calls have ended. */
  private readonly leaving = new Map<string, Sender>();
  private owned: readonly Webhook[] = [];
  private readonly bodies: BatchLoader<Body>;
  private readonly writer: OutcomeWriter;
  private readonly ownership: Ownership;
  private readonly loop: BackgroundLoop;
  private readonly stopping = new AbortController();
  private readonly underWay: UnderWay = { calls: 0, bytes: 0 };
  private lookedAt = Number.NEGATIVE_INFINITY;
  private readonly keys: KeyPromotion;

  constructor(parts: Parts) {
    this.parts = parts;
    const { mysql, outbox, broker, logger: log } = parts.service;
    this.bounds = limitsOf(limits.webhook, parts.service);
    this.bodies = new BatchLoader((ids) => bodiesOf(mysql, ids), { keys: 20, queries: 4 });
    this.writer = new OutcomeWriter({
      ...{ mysql, outbox, log, holder: broker.nodeID, failingMs: this.bounds.failingMs },
      disabled: (webhook) => this.disabled(webhook),
      promoted: (deliveries) => {
        for (const [id, next] of Map.groupBy(deliveries, ({ webhookId }) => webhookId))
          if (this.ownership.holds(id)) this.senders.get(id)?.offerNext(next);
      },
    });
    this.loop = new BackgroundLoop({
      ...{ name: "due webhooks", idleMs: this.bounds.lookEveryMs, errorBackoffMs: this.bounds.lookEveryMs, log },
      round: () => this.round(),
    });
    this.keys = new KeyPromotion({
      ...{ mysql, log, holder: broker.nodeID, lookEveryMs: this.bounds.lookEveryMs },
      owned: () => this.owned,
      promoted: () => this.loop.wake(),
    });
    this.ownership = new Ownership({
      ...{ broker, mysql, log, bounds: this.bounds },
      isBusy: (id) => this.senders.get(id)?.isBusy === true || this.leaving.get(id)?.isBusy === true,
      changed: (owned) => this.changed(owned),
      lapsed: () => {
        for (const sender of this.senders.values()) sender.leave();
      },
    });
  }

  /** Deliveries may be due, or queued. */
  wake(): void {
    this.keys.wake();
    this.loop.wake();
  }

  /** Subscriptions were changed on this node. */
  webhooksChanged(): void {
    this.ownership.wake();
  }

  /** Calls under way have a moment to end; the others are made again, on another node. */
  async stop(): Promise<void> {
    await Promise.all([this.loop.stop(), this.keys.stop()]);
    for (const sender of this.senders.values()) sender.leave();
    const deadline = performance.now() + limits.webhook.stopMs;
    while (this.isBusy && performance.now() < deadline) await pause(limits.webhook.lookAgainMs);
    this.stopping.abort();
    while (this.isBusy && performance.now() < deadline + limits.webhook.stopMs) await pause(limits.webhook.lookAgainMs);
    await this.writer.stop();
    await this.ownership.stop();
  }

  private get isBusy(): boolean {
    return [...this.senders.values(), ...this.leaving.values()].some((sender) => sender.isBusy);
  }

  private changed(owned: readonly Webhook[]): void {
    this.writer.compare(owned);
    this.owned = owned;
    const ids = new Set(owned.map(({ id }) => id));
    for (const [id, sender] of this.senders)
      if (!ids.has(id)) {
        sender.leave();
        this.senders.delete(id);
        if (sender.isBusy) this.leaving.set(id, sender);
      }
    for (const [id, sender] of this.leaving) if (!sender.isBusy) this.leaving.delete(id);
    for (const webhook of owned) {
      const known = this.senders.get(webhook.id) ?? this.leaving.get(webhook.id);
      this.leaving.delete(webhook.id);
      const sender = known ?? this.senderOf(webhook);
      sender.update(webhook);
      this.senders.set(webhook.id, sender);
    }
    this.wake();
  }

  private senderOf(webhook: Webhook): Sender {
    const { http, secrets, metrics, service } = this.parts;
    return new Sender(webhook, {
      ...{ http, bounds: this.bounds, underWay: this.underWay, signal: this.stopping.signal, log: service.logger },
      body: (message) => this.bodies.get(message),
      openSecret: (sealed, id) => secrets.open(sealed, id),
      write: (outcome) => this.writer.write(outcome),
      holds: (id) => this.ownership.holds(id),
      hungry: () => this.loop.wake(),
      tried: (state, durationMs) => metrics.tried(state, durationMs),
    });
  }

  private async round(): Promise<boolean> {
    const restMs = this.lookedAt + limits.webhook.lookAgainMs - performance.now();
    if (restMs > 0) await pause(restMs);
    this.lookedAt = performance.now();
    const { mysql } = this.parts.service;
    const wanted = [...this.senders]
      .map(([id, sender]) => ({ id, most: sender.look() }))
      .filter(({ most }) => most > 0);
    const due = Map.groupBy(await dueOf(mysql, wanted), ({ webhookId }) => webhookId);
    for (const [id, deliveries] of due) if (this.ownership.holds(id)) this.senders.get(id)?.offer(deliveries);
    return false;
  }

  private disabled({ webhookId, reason }: Disabled): void {
    const { service, metrics } = this.parts;
    metrics.disabled(reason);
    const why = reason === "gone" ? "its receiver answered 410" : "its calls have failed for days";
    service.logger.error({ webhookId, why }, "a webhook was switched off: webhooks/update switches it on again");
    this.ownership.wake();
  }
}
