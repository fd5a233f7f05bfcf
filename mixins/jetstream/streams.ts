import { type JetStreamManager, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import { config, natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { emptyFormer, errorCode, setFormerAside } from "./former-streams.ts";

/** A stream as a service describes it; names and subjects without the namespace's prefix. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  /** `queue`: a message is gone once it is acked. `log`: kept for its age whoever has read it. */
  readonly kind: "queue" | "log";
  /**
   * Of a queue: so many streams, NAME-0 and so on, each with the subjects whose last `*` is its number. A stream with one
   * consumer, and no filter, costs the server the least, and each may have another leader in a cluster.
   */
  readonly partitions?: number;
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

/** The streams that hold a definition's messages, each a definition of its own; its bound is shared out among them. */
export function partsOf({ partitions, ...stream }: StreamDefinition): StreamDefinition[] {
  if (partitions === undefined) return [stream];
  const { name, subjects, maxMessages } = stream;
  return Array.from({ length: partitions }, (_, n) => ({
    ...stream,
    name: `${name}-${n}`,
    subjects: subjects.map((subject) => subject.replace(/\*$/, String(n))),
    ...(maxMessages ? { maxMessages: Math.ceil(maxMessages / partitions) } : {}),
  }));
}

/** The server's names of the streams that hold a definition's messages. */
export function streamNames(stream: StreamDefinition): string[] {
  return partsOf(stream).map(({ name }) => natsPrefix() + name);
}

const otherSettings = 10058;

/**
 * Makes the streams that are missing and brings the others to their definition. Many nodes may do it at once. What waits
 * in streams of another number of partitions is moved over before this resolves.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  streams: readonly StreamDefinition[],
  say: (text: string) => void = () => {},
): Promise<void> {
  for (const stream of streams) {
    const former = stream.kind === "queue" ? await setFormerAside(manager, stream) : [];
    for (const part of partsOf(stream)) await ensureStream(manager, streamConfig(part));
    for (const name of former) await emptyFormer(manager, name, stream, say);
  }
}

async function ensureStream(manager: JetStreamManager, wanted: Partial<StreamConfig>): Promise<void> {
  // Adding a stream that is there with the same settings succeeds; with other settings it is refused.
  await manager.streams.add(wanted).catch(async (error: unknown) => {
    if (errorCode(error) !== otherSettings) throw error;
    await manager.streams.update(wanted.name as string, wanted);
  });
}
