import type { ConsumerInfo, StreamInfo } from "nats";

/** How far a consumer of a log has read. */
export interface Reading {
  /** Everything up to this sequence was handled, or was not for this consumer. */
  readonly upTo: number;
  /** How far it had read at the last look, if nothing unread was dropped until then; the next look confirms it. */
  readonly candidate: number;
}

/** A part of a log that was dropped, by its age or its bytes, before the consumer had read it. */
export interface Gap {
  /** Both sequences are outside of it. */
  readonly after: number;
  readonly before: number;
}

/**
 * The next reading of a consumer, and the gap that the stream has before it, if any. `stream` was looked at before
 * `consumer`. Pure.
 *
 * A consumer's ack floor, and that nothing waits for it, say how far it has read only while no message is dropped unread:
 * both pass over what was dropped. So they are believed at the next look, if the stream still begins before what was
 * read for certain. A stream that drops messages within two looks after their arrival shows gaps that are none.
 */
export function nextReading(
  before: Reading,
  { state }: Pick<StreamInfo, "state">,
  consumer: Pick<ConsumerInfo, "ack_floor" | "num_pending" | "num_ack_pending">,
): Reading & { readonly gap?: Gap } {
  const acked = consumer.ack_floor.stream_seq;
  // A consumer with a filter acks few sequences: where nothing waits for it, it has read all there is.
  const candidate = consumer.num_pending + consumer.num_ack_pending === 0 ? state.last_seq : acked;
  // The stream went back in time: what was read beyond its end is gone.
  if (before.upTo > state.last_seq) return { upTo: Math.min(acked, state.last_seq), candidate };
  const { upTo } = before;
  if (state.first_seq > upTo + 1) return { upTo, candidate: 0, gap: { after: upTo, before: state.first_seq } };
  return { upTo: Math.max(upTo, before.candidate), candidate };
}
