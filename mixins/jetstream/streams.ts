import { type JetStreamManager, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import { config, natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";

/** A stream as a service describes it; names and subjects without the namespace's prefix. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  /** `queue`: a message is gone once it is acked. `log`: kept for its age whoever has read it. */
  readonly kind: "queue" | "log";
  readonly maxAgeMs?: number;
  /** Publishing beyond this is refused, so that a queue that nobody drains answers 503 instead of filling the disk. */
  readonly maxMessages?: number;
  /** Of a log: beyond this the oldest are forgotten, those of one subject or of all. */
  readonly keepLatest?: { readonly perSubject: number; readonly messages: number };
}

/** Where messages go that cannot be handled; the subject keeps the name of the channel they failed in. */
export const deadLetters: StreamDefinition = {
  name: "DEAD",
  subjects: ["dead.>"],
  kind: "log",
  maxAgeMs: limits.jetstream.deadLetterAgeMs,
};

const nanos = (ms: number) => ms * 1_000_000;

function streamConfig(stream: StreamDefinition): Partial<StreamConfig> {
  return {
    name: natsPrefix() + stream.name,
    subjects: stream.subjects.map((subject) => natsPrefix() + subject),
    retention: stream.kind === "queue" ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: config().JETSTREAM_REPLICAS,
    duplicate_window: nanos(limits.jetstream.duplicateWindowMs),
    max_age: nanos(stream.maxAgeMs ?? 0),
    max_msgs: stream.maxMessages ?? stream.keepLatest?.messages ?? -1,
    max_msgs_per_subject: stream.keepLatest?.perSubject ?? -1,
    ...(stream.maxMessages ? { discard: "new" as StreamConfig["discard"] } : {}),
  };
}

/** Makes the streams that are missing and brings the others to their definition. Many nodes may do it at once. */
export async function ensureStreams(manager: JetStreamManager, streams: readonly StreamDefinition[]): Promise<void> {
  for (const stream of streams) {
    const wanted = streamConfig(stream);
    // Adding a stream that is there with the same settings succeeds; with other settings it is refused.
    await manager.streams.add(wanted).catch(async (error: { api_error?: { err_code?: number } }) => {
      if (error.api_error?.err_code !== 10058) throw error;
      await manager.streams.update(wanted.name as string, wanted);
    });
  }
}
