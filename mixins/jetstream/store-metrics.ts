import type { Service } from "moleculer";
import type { StreamInfo } from "nats";
import { signatureFaults } from "./signatures.ts";

const lostCounter = {
  name: "ovation.jetstream.lost",
  description:
    "Messages that were lost with a stream or a purge, as far as this node detected; 1 where the number is unknown",
  labelNames: ["service", "stream"],
} as const;

const forgedCounter = {
  name: "ovation.jetstream.forged",
  description: "Messages that were refused for their signature and kept as dead letters",
  labelNames: ["service", "channel", "reason"],
} as const;

/** Gauges, as of the last check. All nodes of all services report the same values of a stream. */
const streamGauges = {
  bytes: { name: "ovation.jetstream.stream.bytes", description: "Bytes that a stream holds", unit: "byte" },
  bound: { name: "ovation.jetstream.stream.bound", description: "The most bytes that it may hold", unit: "byte" },
  messages: { name: "ovation.jetstream.stream.messages", description: "Messages that a stream holds" },
} as const;
const accountGauge = {
  name: "ovation.jetstream.account.bytes",
  description: "Bytes that all streams of the account hold",
  unit: "byte",
} as const;

/** Counts a message of a channel that was refused as forged. */
export function countForged({ name, broker }: Service, channel: string, reason: string): void {
  broker.metrics.increment(forgedCounter.name, { service: name, channel, reason });
}

/** A channel of signed messages is in the metrics with 0 as long as none was forged. */
export function expectForged({ name, broker }: Service, channel: string): void {
  for (const reason of signatureFaults)
    broker.metrics.increment(forgedCounter.name, { service: name, channel, reason }, 0);
}

/** Registers the metrics of a service's streams. Returns what sets them. */
export function storeMetrics({ name: service, broker: { metrics } }: Service) {
  for (const counter of [lostCounter, forgedCounter])
    metrics.register({ type: "counter", ...counter, labelNames: [...counter.labelNames] });
  for (const gauge of Object.values(streamGauges))
    metrics.register({ type: "gauge", ...gauge, labelNames: ["service", "stream"] });
  metrics.register({ type: "gauge", ...accountGauge, labelNames: ["service"] });
  return {
    measured({ config: { name: stream, max_bytes }, state }: StreamInfo): void {
      metrics.set(streamGauges.bytes.name, state.bytes, { service, stream });
      metrics.set(streamGauges.bound.name, Math.max(0, max_bytes), { service, stream });
      metrics.set(streamGauges.messages.name, state.messages, { service, stream });
      metrics.increment(lostCounter.name, { service, stream }, 0);
    },
    accountMeasured: (bytes: number) => metrics.set(accountGauge.name, bytes, { service }),
    countLost: (stream: string, count: number) => metrics.increment(lostCounter.name, { service, stream }, count),
  };
}
