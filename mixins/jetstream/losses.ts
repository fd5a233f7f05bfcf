import type { ConsumerInfo, StreamInfo } from "nats";
import type { StreamDefinition } from "./definitions.ts";
import { markOf } from "./streams.ts";

/** What a look saw of a stream. */
export interface SeenStream {
  readonly created: string;
  /** "" where it bears none. The later mark is the greater string. */
  readonly mark: string;
  readonly messages: number;
  readonly lastSequence: number;
}

/** What a look saw of a consumer. */
export interface SeenConsumer {
  readonly stream: string;
  readonly created: string;
  /** Messages that wait for it, and those in hand. */
  readonly waiting: number;
  /** Deliveries so far, repeats included, and the sequence they have reached. */
  readonly deliveries: number;
  readonly reached: number;
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
  };
}

/**
 * How many messages a stream that is gone took with it, as of the last look at it: of a queue all that were there, of a
 * log those that one of the service's own consumers had not read; all that were there where the service reads it by none.
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
 * How many messages of a queue, which nobody filters, were taken out between two looks before they were ever delivered: a
 * purge. Each sequence that was passed was delivered at least once, or is one of these. At the least, since repeats are
 * counted among the deliveries. After a restart of the server, or under another leader, a consumer may stand a moment
 * before where it was seen: nothing can be told of that.
 */
export function purgedBetween(before: SeenConsumer, now: SeenConsumer): number {
  if (before.created !== now.created || now.reached < before.reached || now.deliveries < before.deliveries) return 0;
  return Math.max(0, now.reached - before.reached - (now.deliveries - before.deliveries));
}
