import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { type Limits, limitsOf } from "../limits-of.ts";
import { endedMessages, waitingOf } from "./delivery-reads-store.ts";
import type { DeliveryState } from "./delivery-state.ts";
import { promoteAll, removeOfMessages, removeOfWebhook } from "./delivery-store.ts";
import { removeLease } from "./lease-store.ts";
import { lockStore, oldMessages, removeMessages, storedBytes } from "./message-store.ts";
import type { WebhookMetrics } from "./metrics.ts";
import { allWebhooks, noteDropped, noteWaiting, removableWebhooks, removeWebhook } from "./webhook-store.ts";

interface Parts {
  readonly service: Service & MysqlState;
  readonly metrics: WebhookMetrics;
}

/** Counts what waits, and removes what is old, deleted or beyond the bounds, in small steps, on one node at a time. */
export class WebhookMaintenance {
  private readonly parts: Parts;
  private readonly bounds: Limits<typeof limits.webhook>;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private countAgainAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    const { mysql, broker, logger: log } = parts.service;
    this.bounds = limitsOf(limits.webhook, parts.service);
    const { maintenanceLeaseMs: ms, maintenanceEveryMs } = this.bounds;
    this.lease = new DatabaseLease({ mysql, name: "maintenance", holder: broker.nodeID, ms });
    this.loop = new BackgroundLoop({
      ...{ name: "maintenance of the webhooks", idleMs: maintenanceEveryMs, errorBackoffMs: maintenanceEveryMs, log },
      round: () => this.round(),
    });
  }

  /** Resolves once the running step has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((err: Error) => {
      this.parts.service.logger.warn(
        { err },
        "the lease of the webhooks' maintenance was not freed: it expires by itself",
      );
    });
  }

  /** One step of each kind; returns whether there is more. */
  private async round(): Promise<boolean> {
    if (!(await this.lease.hold())) return false;
    await this.count();
    const more = [await this.removeOld(), await this.removeBeyondBound(), await this.removeDeleted()];
    return [...more, await this.releaseQueued()].includes(true);
  }

  /** A count that takes long, since much waits, is rarer. */
  private async count(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt < this.countAgainAt) return;
    const { mysql } = this.parts.service;
    const counted = await waitingOf(mysql);
    for (const { id, waiting: before, dueSince: since } of await allWebhooks(mysql)) {
      const { waiting, dueSince } = counted.get(id) ?? { waiting: 0, dueSince: null };
      if (waiting !== before || dueSince?.getTime() !== since?.getTime())
        await noteWaiting(mysql, id, waiting, dueSince);
    }
    const tookMs = performance.now() - startedAt;
    this.countAgainAt = performance.now() + tookMs * limits.webhook.keysRestFactor;
  }

  /** Those that still wait are dropped: their subscription is off, or their receiver has failed all the time. */
  private async removeOld(): Promise<boolean> {
    const ids = await oldMessages(this.parts.service.mysql, this.bounds.keptMs);
    return (await this.remove(ids, ["queued", "due", "succeeded", "failed"])).more;
  }

  private async removeBeyondBound(): Promise<boolean> {
    const { mysql, logger } = this.parts.service;
    const bytes = await storedBytes(mysql);
    // Before the intake begins to drop.
    const most = this.bounds.keptBytes * 0.9;
    if (bytes < most) return false;
    const ids = await endedMessages(mysql);
    // One that was replayed meanwhile waits: it stays, with its message.
    const { more, messages } = await this.remove(ids, ["succeeded", "failed"]);
    const about = { bytes, most, messages };
    if (ids.length === 0)
      logger.warn(
        about,
        "the bodies of webhooks come near their bound, and all of them wait: at the bound events are dropped",
      );
    else if (messages > 0)
      logger.warn(
        about,
        "the bodies of webhooks came near their bound: the oldest that have ended were removed before their time",
      );
    return more;
  }

  /**
   * Deliveries in these states first, one step of them a round: a message may have as many as there are subscriptions.
   * The lock, which the intake waits for, is held for messages alone. Of a message whose other deliveries are left, the
   * message stays.
   */
  private async remove(
    ids: readonly string[],
    among: readonly DeliveryState[],
  ): Promise<{ more: boolean; messages: number }> {
    if (ids.length === 0) return { more: false, messages: 0 };
    const { service, metrics } = this.parts;
    const { removed, dropped } = await service.mysql.transaction(async (tx) => {
      const step = await removeOfMessages(tx, ids, among);
      for (const [webhookId, deliveries] of step.dropped) await noteDropped(tx, webhookId, deliveries);
      return step;
    });
    for (const [webhookId, deliveries] of dropped) metrics.dropped(webhookId, deliveries, "they waited for too long");
    if (removed >= limits.webhook.removedRows) return { more: true, messages: 0 };
    const messages = await service.mysql.transaction(async (tx) => {
      await lockStore(tx);
      return removeMessages(tx, ids);
    });
    return { more: messages >= limits.webhook.removedRows, messages };
  }

  private async removeDeleted(): Promise<boolean> {
    const { mysql } = this.parts.service;
    let more = false;
    for (const id of await removableWebhooks(mysql)) {
      if ((await removeOfWebhook(mysql, id)) > 0) more = true;
      else
        await mysql.transaction(async (tx) => {
          if (await removeWebhook(tx, id)) await removeLease(tx, id);
        });
    }
    return more;
  }

  /** What is queued of a subscription that is not ordered any more becomes due. */
  private async releaseQueued(): Promise<boolean> {
    const { mysql } = this.parts.service;
    let more = false;
    for (const { id, orderBy } of await allWebhooks(mysql))
      if (orderBy === "none" && (await promoteAll(mysql, id)) === limits.webhook.removedRows) more = true;
    return more;
  }
}
