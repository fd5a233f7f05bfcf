import type { Service, ServiceBroker } from "moleculer";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { call } from "../../contracts.ts";
import type { PaymentDesk } from "../desk.ts";
import { effects } from "../messages.ts";
import type { Providers } from "../providers/provider.ts";
import { Janitor } from "./janitor.ts";
import { type MessagePorts, messageRecovery } from "./lost-messages.ts";

const counter = {
  name: "ovation.payment.messages.again",
  description: "Messages to the wallet that were published again, since its books did not show them",
  labelNames: ["service", "effect"],
} as const;

/** The wallet's books, and the counter of GET /metrics. */
function messagePorts(broker: ServiceBroker): MessagePorts {
  const { metrics } = broker;
  const labels = (effect: string) => ({ service: "payment", effect });
  metrics.register({ type: "counter", ...counter, labelNames: [...counter.labelNames] });
  // A series that begins at 0, so that its first step is seen.
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

/** The janitor of a payment node, at work until it is stopped. */
export function openJanitor(service: Service & PaymentDesk & JetStreamState & { providers: Providers }): Janitor {
  const { broker, providers } = service;
  service.jetstream.recover(messageRecovery(service));
  return new Janitor(service, providers, messagePorts(broker), broker.nodeID);
}
