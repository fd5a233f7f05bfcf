import type { ConsumerInfo, JetStreamManager, StreamInfo } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { type ConsumerDefinition, isNameOf } from "./definitions.ts";
import { findStream } from "./streams.ts";
import { nextMessage } from "./time-search.ts";

/** How far a durable consumer is behind. */
export interface QueueDepth {
  /** Without the namespace's prefix. */
  readonly stream: string;
  readonly durable: string;
  /** Messages that were not delivered yet. */
  readonly waiting: number;
  /** Messages that were delivered and are not acked. */
  readonly unacked: number;
  /** Of those, the ones that were delivered more than once. */
  readonly redelivered: number;
  /** How long the oldest of all these has been in the stream, by this node's clock; 0 where there is none. */
  readonly oldestMs: number;
}

const nothing = { waiting: 0, unacked: 0, redelivered: 0, oldestMs: 0 } as const;

/** Of the message after the last one that has no unacked message before it. */
async function oldestMs(
  manager: JetStreamManager,
  { stream, subject }: ConsumerDefinition,
  { ack_floor }: ConsumerInfo,
): Promise<number> {
  const filter = subject === undefined ? ">" : natsPrefix() + subject;
  const message = await nextMessage(manager, { stream, subject: filter }, ack_floor.stream_seq + 1);
  return message ? Math.max(0, Date.now() - message.time.getTime()) : 0;
}

async function depthOf(
  manager: JetStreamManager,
  consumer: ConsumerDefinition,
  { state }: StreamInfo,
  infos: readonly ConsumerInfo[],
): Promise<QueueDepth> {
  const { durable, stream } = consumer;
  const names = { stream: stream.slice(natsPrefix().length), durable };
  const info = infos.find(({ name }) => isNameOf(durable, name));
  if (!info) {
    // Without a consumer all messages of a queue wait; of a log it is not known which.
    if (consumer.kind === "log" || state.messages === 0) return { ...names, ...nothing };
    const firstMs = Date.parse(String(state.first_ts));
    return { ...names, ...nothing, waiting: state.messages, oldestMs: Math.max(0, Date.now() - firstMs) };
  }
  const { num_pending: waiting, num_ack_pending: unacked, num_redelivered: redelivered } = info;
  const isBehind = waiting + unacked > 0;
  return { ...names, waiting, unacked, redelivered, oldestMs: isBehind ? await oldestMs(manager, consumer, info) : 0 };
}

/**
 * How far these consumers are behind, as the server knows it: also while no process of their services runs. It costs two
 * requests a stream, and one for each consumer that is behind. Needs the rights to list consumers and to get messages.
 * Streams that are missing are left out. Fails: unavailable.
 */
export async function queueDepths(
  manager: JetStreamManager,
  consumers: readonly ConsumerDefinition[],
): Promise<QueueDepth[]> {
  const depths: QueueDepth[] = [];
  for (const [stream, own] of Map.groupBy(consumers, (consumer) => consumer.stream)) {
    const info = await findStream(manager, stream);
    if (!info) continue;
    const infos: ConsumerInfo[] = [];
    for await (const consumer of manager.consumers.list(stream)) infos.push(consumer);
    for (const consumer of own) depths.push(await depthOf(manager, consumer, info, infos));
  }
  return depths;
}
