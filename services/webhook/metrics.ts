import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { SparseLog } from "../../mixins/sparse-log.ts";

const tries = {
  name: "ovation.webhook.tries",
  labelNames: ["outcome"],
  description: "Calls of webhooks, by what came of the delivery: succeeded, due (again later) or failed",
};
const seconds = {
  name: "ovation.webhook.seconds",
  labelNames: ["outcome"],
  description: "How long the calls of webhooks took in all, in seconds",
};
const disabled = {
  name: "ovation.webhook.disabled",
  labelNames: ["reason"],
  description: "Webhooks that were switched off: failing or gone",
};
const dropped = {
  name: "ovation.webhook.dropped",
  description: "Deliveries of webhooks that were dropped for a bound",
};

/** The counters of this node, and the log of what was dropped. */
export class WebhookMetrics {
  private readonly metrics: ServiceBroker["metrics"];
  private readonly droppedLog: SparseLog<{ webhookId: string; deliveries: number; why: string }>;

  constructor({ metrics }: Pick<ServiceBroker, "metrics">, log: Pick<Log, "error">) {
    this.metrics = metrics;
    for (const counter of [tries, seconds, disabled, dropped]) metrics.register({ type: "counter", ...counter });
    metrics.increment(dropped.name, {}, 0);
    for (const reason of ["failing", "gone"]) metrics.increment(disabled.name, { reason }, 0);
    for (const outcome of ["succeeded", "due", "failed"]) metrics.increment(tries.name, { outcome }, 0);
    this.droppedLog = new SparseLog((about) => log.error(about, "deliveries of a webhook were dropped"));
  }

  tried(outcome: string, durationMs: number): void {
    this.metrics.increment(tries.name, { outcome });
    this.metrics.increment(seconds.name, { outcome }, durationMs / 1_000);
  }

  disabled(reason: string): void {
    this.metrics.increment(disabled.name, { reason });
  }

  dropped(webhookId: string, deliveries: number, why: string): void {
    this.metrics.increment(dropped.name, {}, deliveries);
    this.droppedLog.add({ webhookId, deliveries, why });
  }
}
