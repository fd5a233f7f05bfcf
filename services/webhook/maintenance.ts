import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { type Limits, limitsOf } from "../limits-of.ts";
import { endedMessages, waitingOf, waitingOfMessages } from "./delivery-reads-store.ts";
import { promoteAll, removeOfMessages, removeOfWebhook } from "./delivery-store.ts";
import { removeLease } from "./lease-store.ts";
import { lockStore, oldMessages, removeMessages, storedBytes } from "./message-store.ts";
import type { WebhookMetrics } from "./metrics.ts";
import { allWebhooks, deletedWebhooks, noteDropped, noteWaiting, removeWebhook } from "./webhook-store.ts";

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
    return this.remove(ids);
  }

  private async removeBeyondBound(): Promise<boolean> {
    const { mysql, logger } = this.parts.service;
    const bytes = await storedBytes(mysql);
    // Before the intake begins to drop.
    const most = this.bounds.keptBytes * 0.9;
    if (bytes < most) return false;
    const ids = await endedMessages(mysql);
    logger.warn(
      { bytes, most, messages: ids.length },
      ids.length > 0
        ? "the bodies of webhooks come near their bound: the oldest that have ended are removed before their time"
        : "the bodies of webhooks come near their bound, and all of them wait: at the bound events are dropped",
    );
    return this.remove(ids);
  }

  private async remove(ids: readonly string[]): Promise<boolean> {
    if (ids.length === 0) return false;
    const { service, metrics } = this.parts;
    const waiting = await service.mysql.transaction(async (tx) => {
      await lockStore(tx);
      const dropped = await waitingOfMessages(tx, ids);
      for (const [webhookId, deliveries] of dropped) await noteDropped(tx, webhookId, deliveries);
      await removeOfMessages(tx, ids);
      await removeMessages(tx, ids);
      return dropped;
    });
    for (const [webhookId, deliveries] of waiting) metrics.dropped(webhookId, deliveries, "they waited for too long");
    return ids.length >= limits.webhook.removedRows;
  }

  private async removeDeleted(): Promise<boolean> {
    const { mysql } = this.parts.service;
    let more = false;
    for (const id of await deletedWebhooks(mysql)) {
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
