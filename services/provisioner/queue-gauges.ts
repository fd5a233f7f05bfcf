import type { Service } from "moleculer";
import type { JetStreamManager } from "nats";
import { natsPrefix } from "../../config/config.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges, type Reading } from "../../mixins/gauges.ts";
import { channelOfDeadLetter, deadLetters } from "../../mixins/jetstream/definitions.ts";
import type { OtherServer } from "../../mixins/jetstream/other-server.ts";
import { type QueueDepth, queueDepths } from "../../mixins/jetstream/queue-depths.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { streamAccess } from "../stream-access.ts";
import { everyConsumer } from "./provisioned.ts";

const byConsumer = ["stream", "consumer"] as const;
const gauges = {
  waiting: {
    name: "ovation.queue.waiting",
    description: "Messages that a durable consumer has not been given yet",
    labelNames: byConsumer,
  },
  unacked: {
    name: "ovation.queue.unacked",
    description: "Messages that a durable consumer was given and has not acked",
    labelNames: byConsumer,
  },
  redelivered: {
    name: "ovation.queue.redelivered",
    description: "Unacked messages that were delivered more than once",
    labelNames: byConsumer,
  },
  oldest: {
    name: "ovation.queue.oldest",
    description: "How long the oldest message that a durable consumer has not acked has been in its stream",
    unit: "second",
    labelNames: byConsumer,
  },
  dead: { name: "ovation.dead.letters", description: "Dead letters of a channel", labelNames: ["channel"] },
  deadOldest: {
    name: "ovation.dead.letters.oldest",
    description: "Age of the oldest dead letter; 0 where there is none",
    unit: "second",
  },
} as const satisfies Record<string, Gauge>;

function readingsOf({ stream, durable, waiting, unacked, redelivered, oldestMs }: QueueDepth): Reading[] {
  const labels = { stream, consumer: durable };
  return [
    { name: gauges.waiting.name, value: waiting, labels },
    { name: gauges.unacked.name, value: unacked, labels },
    { name: gauges.redelivered.name, value: redelivered, labels },
    { name: gauges.oldest.name, value: oldestMs / 1_000, labels },
  ];
}

const channels = [...new Set(Object.values(streamAccess).flatMap(({ consumers }) => consumers.map((c) => c.durable)))];

/** Dead letters by channel. Those of a channel that no service has count together: so the number of series is bounded. */
async function deadReadings(manager: JetStreamManager): Promise<Reading[]> {
  const found = await findStream(manager, natsPrefix() + deadLetters.name);
  if (!found) return [];
  const filter = natsPrefix() + deadLetters.subjects[0];
  const { state } = await manager.streams.info(found.config.name, { subjects_filter: filter });
  const counts = new Map([...channels, "other"].map((channel) => [channel, 0]));
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const channel = channelOfDeadLetter(subject);
    const label = counts.has(channel) ? channel : "other";
    counts.set(label, (counts.get(label) ?? 0) + count);
  }
  const oldestMs = state.messages > 0 ? Math.max(0, Date.now() - Date.parse(String(state.first_ts))) : 0;
  return [
    ...[...counts].map(([channel, value]) => ({ name: gauges.dead.name, value, labels: { channel } })),
    { name: gauges.deadOldest.name, value: oldestMs / 1_000 },
  ];
}

/** The depth of every queue and the dead letters in GET /metrics, read from nats-server every few seconds. */
export function keepQueueGauges(
  service: Service,
  manager: JetStreamManager,
  otherServer?: Pick<OtherServer, "watch">,
): BackgroundLoop {
  const consumers = everyConsumer();
  const read = async () => [
    ...(await queueDepths(manager, consumers)).flatMap(readingsOf),
    ...(await deadReadings(manager)),
  ];
  return keepGauges(service, Object.values(gauges), () => otherServer?.watch("the queues", read) ?? read());
}
