import { setTimeout as pause } from "node:timers/promises";
import { isUnavailable } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { type DueDelivery, nextOf } from "./delivery-reads-store.ts";
import { promote, type SavedOutcome, saveOutcomes } from "./delivery-store.ts";
import { fenceLeases } from "./lease-store.ts";
import { disable, disableFailing, findWebhook, noteFailing, type Webhook } from "./webhook-store.ts";

export interface TryOutcome extends SavedOutcome {
  readonly webhookId: string;
  readonly orderKey: string;
  /** The receiver wants no more calls. */
  readonly isGone: boolean;
}

export interface Disabled {
  readonly webhookId: string;
  readonly reason: "failing" | "gone";
}

interface Parts {
  readonly mysql: Database;
  readonly outbox: OutboxState["outbox"];
  /** The holder of the leases. */
  readonly holder: string;
  readonly failingMs: number;
  readonly log: Log;
  disabled(webhook: Disabled): void;
  /** The next deliveries of rooms or users are due. */
  promoted(deliveries: readonly DueDelivery[]): void;
}

interface Waiting {
  readonly outcome: TryOutcome;
  done(): void;
}

/**
 * Writes what came of tries: the outcomes that arrive while a transaction runs are written in the next one. With them
 * goes what follows from them: the next delivery of the same room or user, and a subscription that is switched off.
 * Outcomes of a subscription that belongs to another node by then are not written: that node makes the call again.
 */
export class OutcomeWriter {
  private readonly parts: Parts;
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  /** Whether the last call of a subscription failed, as it is stored; missing where that is not certain. */
  private readonly failing = new Map<string, boolean>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Resolves once it is durable, or is not to be written, or the service stops. Never rejects. */
  write(outcome: TryOutcome): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push({ outcome, done: resolve });
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return promise;
  }

  /** What was read of the subscriptions: they may have been changed elsewhere. */
  compare(webhooks: readonly Pick<Webhook, "id" | "failingSince">[]): void {
    for (const { id, failingSince } of webhooks)
      if (this.failing.get(id) !== (failingSince !== null)) this.failing.delete(id);
  }

  /** Writes what waits, and gives up where that fails. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    // Outcomes of one turn of the event loop share a transaction.
    await new Promise(setImmediate);
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, limits.webhook.outcomesPerWrite);
      await this.writeBatch(batch.map(({ outcome }) => outcome));
      for (const { done } of batch) done();
    }
  }

  /** Never rejects. Is repeated until it succeeds: until then its deliveries are not made again. */
  private async writeBatch(outcomes: readonly TryOutcome[]): Promise<void> {
    const { mysql, log, disabled, promoted, outbox } = this.parts;
    for (let failures = 0; ; failures++) {
      try {
        const { off, next } = await mysql.transaction((tx) => this.save(tx, outcomes));
        for (const { webhookId, state } of outcomes) this.failing.set(webhookId, state !== "succeeded");
        promoted(next);
        for (const one of off) disabled(one);
        if (off.length > 0) outbox.wake();
        return;
      } catch (err) {
        this.failing.clear();
        const about = { err, outcomes: outcomes.length, failures };
        if (!isUnavailable(err)) {
          log.error(about, "outcomes of webhooks could not be written: their calls are made again");
          return;
        }
        if (this.stopping.signal.aborted) {
          log.warn(about, "outcomes of webhooks were not written before the stop: their calls are made again");
          return;
        }
        log.warn(about, "outcomes of webhooks could not be written: tried again");
        await pause(Math.min(100 * 2 ** failures, 2_000), undefined, { signal: this.stopping.signal }).catch(() => {});
      }
    }
  }

  private async save(
    tx: Transaction,
    outcomes: readonly TryOutcome[],
  ): Promise<{ off: readonly Disabled[]; next: readonly DueDelivery[] }> {
    const webhookIds = [...new Set(outcomes.map(({ webhookId }) => webhookId))].sort();
    const held = await fenceLeases(tx, this.parts.holder, webhookIds);
    const own = outcomes.filter(({ webhookId }) => held.has(webhookId));
    await saveOutcomes(tx, own);
    const next = await this.promoteNext(tx, own);
    const off: Disabled[] = [];
    for (const [webhookId, tries] of Map.groupBy(own, (outcome) => outcome.webhookId)) {
      const reason = await this.noteTries(tx, webhookId, tries);
      if (reason) off.push({ webhookId, reason });
    }
    return { off, next };
  }

  /**
   * The next deliveries of rooms or users become due. This may be a repeat of a transaction that was committed, so
   * nothing becomes due beside a delivery of the same room or user.
   */
  private async promoteNext(tx: Transaction, outcomes: readonly TryOutcome[]): Promise<DueDelivery[]> {
    const ended = outcomes.filter(({ orderKey, state }) => orderKey !== "" && state !== "due");
    const keys = new Map(ended.map((one) => [`${one.webhookId} ${one.orderKey}`, one]));
    const next = await nextOf(tx, [...keys.values()]);
    await promote(
      tx,
      next.map(({ id }) => id),
    );
    return next;
  }

  /** Returns why the subscription was switched off, where it was. */
  private async noteTries(
    tx: Transaction,
    webhookId: string,
    tries: readonly TryOutcome[],
  ): Promise<Disabled["reason"] | undefined> {
    const hasSuccess = tries.some(({ state }) => state === "succeeded");
    const isFailing = tries.at(-1)?.state !== "succeeded";
    const stored = this.failing.get(webhookId);
    if (hasSuccess && stored !== false) await noteFailing(tx, webhookId, false);
    if (isFailing && (hasSuccess || stored !== true)) await noteFailing(tx, webhookId, true);
    if (!isFailing) return undefined;
    const isGone = tries.some((one) => one.isGone);
    const isOff = isGone
      ? await disable(tx, webhookId, "gone")
      : await disableFailing(tx, webhookId, this.parts.failingMs);
    if (!isOff) return undefined;
    const reason = isGone ? "gone" : "failing";
    const webhook = await findWebhook(tx, webhookId);
    const now = new Date();
    const failingSince = (webhook?.failingSince ?? now).toISOString();
    const data = { webhookId, reason, failingSince, time: now.toISOString() } as const;
    const { subject, msgId, payload } = durableEvent("webhook.disabled", `${webhookId}:${now.getTime()}`, data);
    await this.parts.outbox.add(tx, { subject, msgId, payload, orderKey: `webhook ${webhookId}` });
    return reason;
  }
}
