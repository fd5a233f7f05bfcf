import type { Service } from "moleculer";
import { countSeries } from "../../broker/metric-series.ts";
import { limits } from "../../config/limits.ts";

const held = {
  name: "ovation.channel.held",
  description: "Messages, or items of them, that a channel of this node holds",
} as const;
const counters = {
  failed: {
    name: "ovation.channel.failed",
    description: "Items whose handling failed, by an outage or an error: each is tried again or becomes a dead letter",
  },
  dead: { name: "ovation.channel.dead", description: "Dead letters that a channel wrote" },
} as const;

/** The counts of one channel. */
export interface ChannelCounts {
  /** Handles so many items. */
  handling(items: number, work: () => Promise<void>): Promise<void>;
  dead(): void;
}

/** Registers the metrics of a service's channels. Returns what opens the counts of one. */
export function channelMetrics({ name: service, broker }: Service): (channel: string) => ChannelCounts {
  const labelNames = ["service", "channel"];
  broker.metrics.register({ type: "gauge", ...held, labelNames });
  for (const counter of Object.values(counters)) broker.metrics.register({ type: "counter", ...counter, labelNames });
  return (channel) => {
    const failed = countSeries(broker, counters.failed.name, { service, channel });
    const dead = countSeries(broker, counters.dead.name, { service, channel });
    return {
      async handling(items, work) {
        try {
          await work();
        } catch (error) {
          failed(items);
          throw error;
        }
      },
      dead: () => dead(1),
    };
  };
}

interface Holding {
  readonly durable: string;
  readonly held: number;
}

/** Reads how much the channels hold, every few seconds. Returns what ends it. */
export function keepHeld({ name: service, broker: { metrics } }: Service, channels: readonly Holding[]): () => void {
  const read = () => {
    for (const channel of channels) metrics.set(held.name, channel.held, { service, channel: channel.durable });
  };
  read();
  const timer = setInterval(read, limits.metrics.readEveryMs).unref();
  return () => clearInterval(timer);
}
