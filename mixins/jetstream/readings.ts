import type { ConsumerInfo, StreamInfo } from "nats";

/** How far a consumer of a log has read. */
export interface Reading {
  /** Everything up to this sequence was handled, or was not for this consumer. */
  readonly upTo: number;
  /** The stream's last sequence at a look at which nothing waited for the consumer; the next look confirms it. */
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
 * A consumer with a filter acks few sequences, so where nothing waits for it, it has read all there is. But nothing waits
 * for it either where all that waited was dropped. So that is believed only at the next look, if the stream still begins
 * before it: then nothing unread was dropped in between.
 */
export function nextReading(
  before: Reading,
  { state }: Pick<StreamInfo, "state">,
  consumer: Pick<ConsumerInfo, "ack_floor" | "num_pending" | "num_ack_pending">,
): Reading & { readonly gap?: Gap } {
  const acked = consumer.ack_floor.stream_seq;
  const idle = consumer.num_pending + consumer.num_ack_pending === 0;
  const candidate = idle ? state.last_seq : 0;
  // The stream went back in time: what was read beyond its end is gone.
  if (before.upTo > state.last_seq) return { upTo: acked, candidate };
  const sure = Math.max(before.upTo, acked);
  if (state.first_seq > sure + 1) return { upTo: sure, candidate, gap: { after: sure, before: state.first_seq } };
  return { upTo: Math.max(sure, before.candidate), candidate };
}
