import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "nats";
import { config, natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { CatchUp } from "./catch-up.ts";

/** The wanted configuration of streams and consumers. Nothing here talks to a server. */

/** A stream as a service describes it; names and subjects without the namespace's prefix. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  /** `queue`: a message is removed once it is acked. `log`: a message is kept for its age, read or not. */
  readonly kind: "queue" | "log";
  /**
   * Of a queue: the number of its streams, NAME-0 and so on. The last `*` of a stream's subjects is its number. A
   * stream with one consumer and no filter costs the server the least. In a cluster each may have another leader.
   */
  readonly partitions?: number;
  /** How many of the partitions are written to; by default all. They share the bounds; the others have the same bounds. */
  readonly writtenPartitions?: number;
  readonly maxAgeMs?: number;
  /**
   * Of a log: beyond this many bytes the oldest messages are dropped. Of a queue, beside `maxMessages`: publications
   * beyond it are refused. The server reserves this much of its store.
   */
  readonly maxBytes?: number;
  /** Publications beyond this are refused. So a queue that nobody reads answers 503 and does not fill the disk. */
  readonly maxMessages?: number;
  /** Of a log: publications beyond `maxBytes` are refused, and no message is dropped before its age for a later one. */
  readonly refusesAtBound?: true;
  /**
   * What is removed from a log that refuses, once half of its bytes are used (trim.ts): `read`, what all its consumers
   * have read; `unproven`, the oldest dead letters that may be forged, those of unknown keys last.
   */
  readonly trims?: "read" | "unproven";
  /** Of a log: beyond this the oldest messages are dropped, per subject and in all. */
  readonly keepLatest?: { readonly perSubject: number; readonly messages: number };
}

/**
 * The stream of messages that cannot be handled; the subject has the name of the channel that failed. Beyond its bound
 * it refuses, and the message stays where it is, to be handled again: a dead letter of money is never dropped for
 * another. Nobody can fill it from outside, since dead letters without a proof make room.
 */
export const deadLetters: StreamDefinition = {
  name: "DEAD",
  subjects: ["dead.>"],
  kind: "log",
  maxAgeMs: limits.jetstream.deadLetterAgeMs,
  maxBytes: limits.jetstream.deadLetterBytes,
  refusesAtBound: true,
  trims: "unproven",
};

/**
 * What is known of a dead letter's message. `proven`: it is an order to move money that one of our services signed.
 * `unknownKey`: it is signed with a key that its reader lacks, so it may be such an order. `unproven`: whoever may
 * publish in its stream may have written it, as often as he likes.
 */
export type LetterProof = "proven" | "unknownKey" | "unproven";

const proofTokens = { proven: "", unknownKey: "unknown-key.", unproven: "unproven." } as const;

/** The subject of a dead letter, without the namespace's prefix. */
export function deadLetterSubject(channel: string, proof: LetterProof): string {
  return `dead.${proofTokens[proof]}${channel}`;
}

/** The filter of all dead letters that are not proven and of one kind, without the namespace's prefix. */
export function lettersOf(proof: Exclude<LetterProof, "proven">): string {
  return `dead.${proofTokens[proof]}>`;
}

/** The channel of a dead letter, by its subject with the namespace's prefix. */
export function channelOfDeadLetter(subject: string): string {
  const rest = subject.slice(`${natsPrefix()}dead.`.length);
  const token = [proofTokens.unknownKey, proofTokens.unproven].find((one) => rest.startsWith(one)) ?? "";
  return rest.slice(token.length);
}

const nanos = (ms: number) => ms * 1_000_000;

/** The streams that hold a definition's messages, each as a definition of its own. The written ones share the bounds. */
export function partsOf({ partitions, writtenPartitions, ...stream }: StreamDefinition): StreamDefinition[] {
  if (partitions === undefined) return [stream];
  const sharing = writtenPartitions ?? partitions;
  const { name, subjects, maxMessages, maxBytes } = stream;
  return Array.from({ length: partitions }, (_, n) => ({
    ...stream,
    name: `${name}-${n}`,
    subjects: subjects.map((subject) => subject.replace(/\*$/, String(n))),
    ...(maxMessages ? { maxMessages: Math.ceil(maxMessages / sharing) } : {}),
    ...(maxBytes ? { maxBytes: Math.ceil(maxBytes / sharing) } : {}),
  }));
}

/** The server's names of the streams that hold a definition's messages. */
export function streamNames(stream: StreamDefinition): string[] {
  return partsOf(stream).map(({ name }) => natsPrefix() + name);
}

export type WantedStream = Partial<StreamConfig> & { readonly name: string };

/** The configuration of a stream without partitions, or of one part. */
export function streamConfig(stream: StreamDefinition): WantedStream {
  return {
    name: natsPrefix() + stream.name,
    subjects: stream.subjects.map((subject) => natsPrefix() + subject),
    retention: stream.kind === "queue" ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: config().JETSTREAM_REPLICAS,
    duplicate_window: nanos(limits.jetstream.duplicateWindowMs),
    max_age: nanos(stream.maxAgeMs ?? 0),
    max_msgs: stream.maxMessages ?? stream.keepLatest?.messages ?? -1,
    max_bytes: stream.maxBytes ?? -1,
    max_msgs_per_subject: stream.keepLatest?.perSubject ?? -1,
    ...(stream.maxMessages || stream.refusesAtBound ? { discard: DiscardPolicy.New } : {}),
  };
}

/** How long JetStream may take to answer a request about streams and consumers, ms. */
export const apiTimeoutMs = (): number =>
  config().JETSTREAM_REPLICAS > 1 ? limits.jetstream.replicatedApiTimeoutMs : limits.jetstream.apiTimeoutMs;

/** A durable consumer of one stream; `stream` is the server's name of it. */
export interface ConsumerDefinition {
  /** Its name in this system, whichever stream it reads. */
  readonly durable: string;
  readonly stream: string;
  readonly kind: StreamDefinition["kind"];
  /** Filter, without the namespace's prefix. */
  readonly subject?: string;
  /** Of a consumer that can be told again from the books what it missed. */
  readonly catchUp?: Pick<CatchUp, "alone" | "missed">;
}

/** A channel's consumers, in the order of the stream's partitions. */
export function consumersOf(channel: {
  readonly stream: StreamDefinition;
  readonly durable: string;
  readonly subject?: string;
}): ConsumerDefinition[] {
  const { stream, durable, subject } = channel;
  return streamNames(stream).map((name, n) => ({
    ...{ durable: stream.partitions ? `${durable}-${n}` : durable, stream: name, kind: stream.kind },
    ...(subject === undefined ? {} : { subject }),
  }));
}

const markSeparator = "~";

/** The server's name of a consumer, with the ending that its stream has by now (streams.ts); `undefined`: none. */
export function consumerName({ durable }: Pick<ConsumerDefinition, "durable">, ending: string | undefined): string {
  return ending === undefined ? durable : durable + markSeparator + ending;
}

/** The ending of consumers' names on the nth log of a name, from 0: one of a few, since permissions list them. */
export function logEnding(generation: number): string | undefined {
  const n = generation % limits.jetstream.logGenerations;
  return n === 0 ? undefined : String(n);
}

/** Every name that a consumer of a log may have. */
export function logConsumerNames(durable: string): string[] {
  return Array.from({ length: limits.jetstream.logGenerations }, (_, n) => consumerName({ durable }, logEnding(n)));
}

/** Whether a consumer belongs to a durable, on any stream of that name. */
export function isNameOf(durable: string, name: string): boolean {
  return name === durable || name.startsWith(durable + markSeparator);
}

/**
 * The start of a new consumer: at the stream's first message, after a sequence, or at the messages stored since a time.
 */
export type Start = "first" | { readonly after: number } | { readonly since: Date };

function deliverFrom(start: Start): Partial<ConsumerConfig> {
  if (start === "first") return { deliver_policy: DeliverPolicy.All };
  if ("after" in start) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.after + 1 };
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.since.toISOString() };
}

/** The settings that can be changed on an existing consumer. */
export function consumerSettings(): { ack_wait: number; max_ack_pending: number } {
  return { ack_wait: nanos(limits.jetstream.ackWaitMs), max_ack_pending: limits.jetstream.maxAckPending };
}

/** The description of a queue's consumer: the stream's last sequence when it was made. */
const madeAtText = "made when the last sequence was ";
const madeAtPattern = new RegExp(`^${madeAtText}(\\d{1,15})$`);

/** The last sequence of its stream when a queue's consumer was made; 0 where that is not known. */
export function madeAtOf({ description }: Pick<ConsumerConfig, "description">): number {
  return Number(madeAtPattern.exec(description ?? "")?.[1] ?? 0);
}

/** `madeAt`, of a queue's consumer: the stream's last sequence by now. */
export function consumerConfig(
  name: string,
  { subject }: Pick<ConsumerDefinition, "subject">,
  start: Start,
  madeAt?: number,
): Partial<ConsumerConfig> {
  return {
    durable_name: name,
    ...(madeAt === undefined ? {} : { description: madeAtText + madeAt }),
    ...(subject ? { filter_subject: natsPrefix() + subject } : {}),
    ack_policy: AckPolicy.Explicit,
    max_deliver: -1,
    ...deliverFrom(start),
    ...consumerSettings(),
  };
}
