import type { Service, ServiceBroker } from "moleculer";
import { config } from "../../../config/config.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { call } from "../../contracts.ts";
import { effects } from "../messages.ts";
import type { PaymentContext } from "../payment-context.ts";
import type { OpenProviders } from "../providers/provider.ts";
import { type DailyRun, dailyRunJob } from "../reconciliation/daily-run.ts";
import { walletBooks } from "../reconciliation/wallet-books.ts";
import { MaintenanceJob } from "./job.ts";
import { lostMessagesJob, type MessagePorts, messageRecovery } from "./lost-messages.ts";
import { openOrdersJob } from "./open-orders.ts";
import { openRefundsJob } from "./open-refunds.ts";
import { uncreditedOrdersJob } from "./uncredited-orders.ts";

const counter = {
  name: "ovation.payment.messages.again",
  description: "Messages to the wallet that were published again, since its books did not have their effect",
  labelNames: ["service", "effect"],
} as const;

/** The wallet's books, and the counter of GET /metrics. */
function messagePorts(broker: ServiceBroker): MessagePorts {
  const { metrics } = broker;
  const labels = (effect: string) => ({ service: "payment", effect });
  metrics.register({ type: "counter", ...counter, labelNames: [...counter.labelNames] });
  // The series begins at 0, so that its first increase is visible.
  for (const effect of effects) metrics.increment(counter.name, labels(effect), 0);
  const actions = { credit: "wallet.creditsOf", refund: "wallet.refundsOf" } as const;
  return {
    async shown(effect, orderIds) {
      const { list } = await call(broker, actions[effect], { orderIds: [...orderIds] });
      return list.map(({ orderId }) => orderId);
    },
    publishedAgain: (effect) => metrics.increment(counter.name, labels(effect)),
  };
}

/** The daily reconciliation of this node, at the hour of its settings. */
export function dailyRun(
  service: Service & PaymentContext & { providers: OpenProviders; clock: () => number },
): DailyRun {
  const { broker, providers } = service;
  const clock = () => service.clock();
  return { context: service, providers, books: walletBooks(broker), clock, atMs: config().RECONCILE_AT };
}

/** The maintenance jobs of a payment node, by name. */
export type Maintenance = ReturnType<typeof openMaintenance>;

/** Starts the maintenance jobs. Each runs on one payment node at a time, until it is stopped. */
export function openMaintenance(
  service: Service & PaymentContext & JetStreamState & { providers: OpenProviders; clock: () => number },
) {
  const { broker, providers, mysql, logger } = service;
  service.jetstream.recover(messageRecovery(service));
  const context = { mysql, logger, holder: broker.nodeID };
  return {
    openOrders: new MaintenanceJob(openOrdersJob(service, providers), context),
    openRefunds: new MaintenanceJob(openRefundsJob(service, providers), context),
    lostMessages: new MaintenanceJob(lostMessagesJob(service, messagePorts(broker)), context),
    reconciliation: new MaintenanceJob(dailyRunJob(dailyRun(service)), context),
    uncreditedOrders: new MaintenanceJob(uncreditedOrdersJob(service), context),
  };
}
