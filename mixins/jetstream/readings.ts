import type { ConsumerInfo, StreamInfo } from "nats";

/** How far a consumer of a log has read. */
export interface Reading {
  /** Everything up to this sequence was handled, or has subjects that the consumer does not read. */
  readonly upTo: number;
  /**
   * The sequence that it had read up to at the last check, if no unread message was dropped until then. The next check
   * confirms it.
   */
  readonly candidate: number;
}

/** A part of a log that was dropped, for its age or bytes, before the consumer read it. */
export interface Gap {
  /** Both sequences are outside of the gap. */
  readonly after: number;
  readonly before: number;
}

/**
 * The next reading of a consumer, and the gap in the stream before it, if any. `stream` was read before `consumer`.
 * Pure.
 *
 * The ack floor, or that nothing is pending, shows how far a consumer has read only while no unread message is dropped:
 * both pass over dropped messages. So a candidate counts only if the stream still begins before the confirmed sequence
 * at the next check. A stream that drops messages within two checks after their arrival shows gaps that do not exist.
 */
export function nextReading(
  before: Reading,
  { state }: Pick<StreamInfo, "state">,
  consumer: Pick<ConsumerInfo, "ack_floor" | "num_pending" | "num_ack_pending">,
): Reading & { readonly gap?: Gap } {
  const acked = consumer.ack_floor.stream_seq;
  // A consumer with a filter acks few sequences. Where nothing is pending, it has read the whole stream.
  const candidate = consumer.num_pending + consumer.num_ack_pending === 0 ? state.last_seq : acked;
  // The stream went back in time: the messages beyond its end are lost.
  if (before.upTo > state.last_seq) return { upTo: Math.min(acked, state.last_seq), candidate };
  const { upTo } = before;
  if (state.first_seq > upTo + 1) return { upTo, candidate: 0, gap: { after: upTo, before: state.first_seq } };
  return { upTo: Math.max(upTo, before.candidate), candidate };
}
