import type { Service } from "moleculer";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges, type Reading } from "../../mixins/gauges.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { parkedReasons } from "./order.ts";
import { parkedOrders } from "./parked-store.ts";
import { openRefunds } from "./refunds/refund-store.ts";
import { watchedMessages } from "./watches/message-watch-store.ts";
import { openWatches } from "./watches/order-watch-store.ts";

const gauges = {
  watched: {
    name: "ovation.payment.orders.watched",
    description: "Orders that may still be open, whose provider is still asked",
  },
  late: {
    name: "ovation.payment.maintenance.late",
    description: "How long the order or message that is longest overdue has waited for its maintenance job",
    unit: "second",
  },
  messages: {
    name: "ovation.payment.messages.watched",
    description: "Messages to the wallet whose effect is not confirmed",
  },
  refunds: {
    name: "ovation.payment.refunds.waiting",
    description: "Refunds that the provider has not confirmed",
  },
  parked: {
    name: "ovation.payment.orders.parked",
    description: "Orders that wait for a person, by reason",
    labelNames: ["why"],
  },
} as const satisfies Record<string, Gauge>;

/** The gauges of payment for GET /metrics, read from its database. */
export function keepPaymentGauges(service: Service & { mysql: Database }): BackgroundLoop {
  return keepGauges(service, Object.values(gauges), async (): Promise<Reading[]> => {
    const { watched, lateMs } = await openWatches(service.mysql);
    const messages = await watchedMessages(service.mysql);
    const parked = await parkedOrders(service.mysql);
    return [
      { name: gauges.watched.name, value: watched },
      { name: gauges.late.name, value: Math.max(lateMs, messages.lateMs) / 1_000 },
      { name: gauges.messages.name, value: messages.watched },
      { name: gauges.refunds.name, value: await openRefunds(service.mysql) },
      // A reason without orders is 0.
      ...parkedReasons.map((why) => ({ name: gauges.parked.name, value: parked.get(why) ?? 0, labels: { why } })),
    ];
  });
}
