import type { Service } from "moleculer";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges, type Reading } from "../../mixins/gauges.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { parkedReasons } from "./order.ts";
import { parkedOrders } from "./parked-store.ts";
import { differenceKinds } from "./payment.contract.ts";
import { providers } from "./providers.contract.ts";
import { lastComparisons, openDifferences } from "./reconciliation/comparison-store.ts";
import { comparedChannels, type DailyRun, dueNow } from "./reconciliation/daily-run.ts";
import { walletChannel } from "./reconciliation/reconcile.ts";
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
  differences: {
    name: "ovation.payment.reconciliation.differences",
    description: "Differences between orders, bills and the wallet that nobody has resolved, by channel and kind",
    labelNames: ["channel", "kind"],
  },
  age: {
    name: "ovation.payment.reconciliation.age",
    description: "Time since a day was last compared with the channel; since the first was due, where none was",
    unit: "second",
    labelNames: ["channel"],
  },
  waiting: {
    name: "ovation.payment.reconciliation.waiting",
    description: "Days that are due to be compared with the channel, and were not compared yet",
    labelNames: ["channel"],
  },
} as const satisfies Record<string, Gauge>;

/** The gauges of the reconciliation, of every channel and kind: one without differences is 0. */
async function reconciliationReadings(daily: Omit<DailyRun, "books">): Promise<Reading[]> {
  const { mysql } = daily.context;
  const open = new Map((await openDifferences(mysql)).map((row) => [`${row.channel} ${row.kind}`, row.open]));
  const last = await lastComparisons(mysql);
  const waiting = Map.groupBy(
    (await dueNow(daily)).filter(({ again }) => !again),
    ({ channel }) => channel,
  );
  const ageOf = (channel: string): number => {
    const since = last.get(channel)?.getTime() ?? waiting.get(channel)?.[0]?.since;
    return since === undefined ? 0 : Math.max(0, (daily.clock() - since) / 1_000);
  };
  const declared = [...providers.map(({ name }) => name), walletChannel];
  return [
    ...declared.flatMap((channel) =>
      differenceKinds.map((kind) => ({
        name: gauges.differences.name,
        value: open.get(`${channel} ${kind}`) ?? 0,
        labels: { channel, kind },
      })),
    ),
    ...comparedChannels(daily.providers).flatMap((channel) => [
      { name: gauges.age.name, value: ageOf(channel), labels: { channel } },
      { name: gauges.waiting.name, value: waiting.get(channel)?.length ?? 0, labels: { channel } },
    ]),
  ];
}

/** The gauges of payment for GET /metrics, read from its database. */
export function keepPaymentGauges(
  service: Service & { mysql: Database },
  daily: Omit<DailyRun, "books">,
): BackgroundLoop {
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
      ...(await reconciliationReadings(daily)),
    ];
  });
}
