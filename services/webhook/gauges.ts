import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../mixins/gauges.ts";
import { addHealthCheck } from "../../mixins/health.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { storedBytes } from "./message-store.ts";
import { allWebhooks, type Webhook } from "./webhook-store.ts";

const gauges = {
  waiting: { name: "ovation.webhook.waiting", description: "Deliveries of webhooks that are to be made" },
  oldest: {
    name: "ovation.webhook.oldest",
    description: "How long the oldest due delivery has waited, of webhooks whose last call succeeded",
    unit: "second",
  },
  failing: { name: "ovation.webhook.failing", description: "Webhooks that are on and whose last call failed" },
  off: { name: "ovation.webhook.off", description: "Webhooks that were switched off for their failures" },
  bytes: { name: "ovation.webhook.bytes", description: "The bodies that are stored", unit: "byte" },
} as const satisfies Record<string, Gauge>;

/** Of those whose receivers answer: a receiver that fails is not this system's fault. */
function oldestMs(webhooks: readonly Webhook[]): number {
  const due = webhooks.filter(({ enabled, failingSince }) => enabled && failingSince === null);
  return Math.max(0, ...due.map(({ dueSince }) => (dueSince === null ? 0 : Date.now() - dueSince.getTime())));
}

/** The state of the webhooks in GET /metrics and in readiness. */
export function keepWebhookGauges(service: Service & MysqlState): BackgroundLoop {
  const { mysql } = service;
  addHealthCheck(
    service,
    "webhooks",
    async () => {
      const lateMs = oldestMs(await allWebhooks(mysql));
      if (lateMs > limits.webhook.oldestDegradedMs)
        throw new Error(`a webhook has waited for ${Math.round(lateMs / 1_000)} s, and its receiver works`);
    },
    { degrades: true },
  );
  return keepGauges(service, Object.values(gauges), async () => {
    const webhooks = await allWebhooks(mysql);
    const off = webhooks.filter(({ disabledReason }) => disabledReason === "failing" || disabledReason === "gone");
    return [
      { name: gauges.waiting.name, value: webhooks.reduce((sum, { waiting }) => sum + waiting, 0) },
      { name: gauges.oldest.name, value: oldestMs(webhooks) / 1_000 },
      { name: gauges.failing.name, value: webhooks.filter((one) => one.enabled && one.failingSince !== null).length },
      { name: gauges.off.name, value: off.length },
      { name: gauges.bytes.name, value: await storedBytes(mysql) },
    ];
  });
}
