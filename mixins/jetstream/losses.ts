import type { ConsumerInfo, StreamInfo } from "nats";
import { madeAtOf, type StreamDefinition } from "./definitions.ts";
import { markOf } from "./streams.ts";

/** The state of a stream at a check. */
export interface SeenStream {
  readonly created: string;
  /** "" where it has none. The later mark is the greater string. */
  readonly mark: string;
  readonly messages: number;
  readonly lastSequence: number;
}

/** The state of a consumer at a check. */
export interface SeenConsumer {
  readonly stream: string;
  readonly created: string;
  /** Messages that wait for it or are in progress. */
  readonly waiting: number;
  /** Deliveries so far, with repeats, and the highest sequence that was delivered. */
  readonly deliveries: number;
  readonly reached: number;
  /** The stream's last sequence when this consumer was made: of what was there, an earlier one may have acked some. */
  readonly madeAt: number;
}

export function seenStream(info: StreamInfo): SeenStream {
  const { created, state } = info;
  return { created, mark: markOf(info) ?? "", messages: state.messages, lastSequence: state.last_seq };
}

export function seenConsumer(info: ConsumerInfo): SeenConsumer {
  return {
    stream: info.stream_name,
    created: info.created,
    waiting: info.num_pending + info.num_ack_pending,
    deliveries: info.delivered.consumer_seq,
    reached: info.delivered.stream_seq,
    madeAt: madeAtOf(info.config),
  };
}

/**
 * How many messages were lost with a stream, as of its last check. Of a queue: all of them. Of a log: those that one of
 * the service's own consumers had not read; all of them where the service has no consumer.
 */
export function lostWith(
  kind: StreamDefinition["kind"],
  stream: SeenStream,
  consumers: readonly SeenConsumer[],
): number {
  if (kind === "queue" || consumers.length === 0) return stream.messages;
  return Math.max(0, ...consumers.map(({ waiting }) => waiting));
}

/**
 * How many messages of a queue without filters were removed between two checks before their first delivery, i.e. by a
 * purge. Each sequence that was passed was either delivered at least once, or purged; of what was there when the consumer
 * was made, e.g. after a restore, an earlier one may have had it acked. The result is a lower bound, since deliveries
 * include repeats. After a restart of the server, or under another leader, a consumer may be behind its last known state:
 * then the result is 0.
 */
export function purgedBetween(before: SeenConsumer, now: SeenConsumer): number {
  if (before.created !== now.created || now.reached < before.reached || now.deliveries < before.deliveries) return 0;
  const passed = now.reached - Math.max(before.reached, now.madeAt);
  return Math.max(0, passed - (now.deliveries - before.deliveries));
}
