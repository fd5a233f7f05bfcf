import { AckPolicy, DeliverPolicy, type NatsConnection } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { type SignatureFault, signatureHeader } from "../../mixins/jetstream/signatures.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { type DurableEventName, durableEvents } from "../../services/contracts.ts";
import { isoTime } from "../../services/fields.ts";
import { safeParse } from "../../services/safe-parse.ts";
import type { EventFault } from "../../services/signed-events.ts";
import { eventsName } from "../backup/streams.ts";
import { refusalOf } from "./restorable-events.ts";

/** The events of stream EVENTS, as they are there. */

export interface StoredEvent {
  readonly sequence: number;
  /** When JetStream stored it. */
  readonly storedAt: Date;
  readonly name: DurableEventName;
  /** As its schema has it. */
  readonly data: never;
  /** When it was published. */
  readonly time: Date;
}

export interface UnreadableEvent {
  readonly sequence: number;
  readonly storedAt: Date;
  readonly name: undefined;
  readonly subject: string;
  readonly problem: string;
  /** Where its signature is the problem. */
  readonly fault?: SignatureFault;
}

const faultTexts: Readonly<Record<SignatureFault, string>> = {
  unsigned: "it is not signed: a release before 2 published it, or a forger",
  unknownKey: "it is signed with a key that is not among the keys of the seals here",
  wrongSignature: "forged: its service did not sign it",
};

const isName = (name: string): name is DurableEventName => Object.hasOwn(durableEvents, name);

/** The event, or why nothing is made of it. */
export function readEvent(
  subject: string,
  payload: Uint8Array,
  storedAt: Date,
): Pick<StoredEvent, "name" | "data" | "time"> | string {
  const name = subject.slice(`${natsPrefix()}event.`.length);
  if (!isName(name)) return "no service of this release publishes it";
  let message: { data?: unknown; time?: unknown };
  try {
    message = JSON.parse(new TextDecoder().decode(payload)) as typeof message;
  } catch {
    return "it is no JSON";
  }
  const [data, time] = [safeParse(durableEvents[name], message?.data), safeParse(isoTime, message?.time)];
  if (!data.success) return `${data.error.issues[0]?.path.join(".")} is invalid`;
  if (!time.success) return "its time is invalid";
  const at = new Date(time.data);
  return refusalOf(name, data.data as never, { time: at, storedAt }) ?? { name, data: data.data as never, time: at };
}

export interface EventSpan {
  /** Its creation and its sequences; `first` is the first one that is kept. */
  readonly created: string;
  readonly first: number;
  readonly last: number;
  readonly firstTime: Date;
}

/** What EVENTS holds; `undefined` where there is no such stream. */
export async function eventSpan(connection: NatsConnection): Promise<EventSpan | undefined> {
  const info = await findStream(await connection.jetstreamManager(), eventsName());
  if (!info) return undefined;
  const { first_seq: first, last_seq: last, first_ts } = info.state;
  return { created: info.created, first, last, firstTime: new Date(first_ts) };
}

/** A message of a stream. */
export interface StoredMessage {
  readonly sequence: number;
  readonly storedAt: Date;
  readonly subject: string;
  readonly data: Uint8Array;
  /** As its header has it; "" where it has none. */
  readonly signature: string;
}

/**
 * The messages of a stream from a sequence, or a time, on, in their order, as many as there are at the beginning. It
 * leaves no consumer behind. @throws Error where the server stops sending before the last one
 */
export async function* messagesFrom(
  connection: NatsConnection,
  stream: string,
  from: number | Date,
): AsyncGenerator<StoredMessage> {
  const manager = await connection.jetstreamManager();
  const { last_seq: last } = (await manager.streams.info(stream)).state;
  const start =
    typeof from === "number"
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() };
  if (typeof from === "number" && from > last) return;
  const { name } = await manager.consumers.add(stream, {
    ...{ ack_policy: AckPolicy.None, mem_storage: true, ...start },
    inactive_threshold: limits.backup.readerIdleMs * 1_000_000,
  });
  try {
    const consumer = await connection.jetstream().consumers.get(stream, name);
    // Nothing is acked: what was on its way when a connection broke counts as delivered.
    let delivered = 0;
    const requireAll = (sequence: number) => {
      if (sequence !== delivered)
        throw new Error(`messages of stream ${stream} did not arrive, the connection was lost: begin again`);
    };
    for (;;) {
      const { num_pending, delivered: sent } = await manager.consumers.info(stream, name);
      if (num_pending === 0) return requireAll(sent.consumer_seq);
      const batch = Math.min(num_pending, limits.backup.eventsPerFetch);
      const messages = await consumer.fetch({ max_messages: batch, expires: limits.backup.streamSilenceMs });
      let got = 0;
      for await (const { seq: sequence, subject, data, info, headers } of messages) {
        got++;
        delivered++;
        requireAll(info.deliverySequence);
        const signature = headers?.get(signatureHeader) ?? "";
        yield { sequence, subject, data, signature, storedAt: new Date(info.timestampNanos / 1e6) };
        if (sequence >= last) return;
      }
      if (got === 0) throw new Error(`stream ${stream} sent nothing for ${limits.backup.streamSilenceMs} ms`);
    }
  } finally {
    await manager.consumers.delete(stream, name);
  }
}

/** Which events count: those that are signed by their service, or need no signature. */
export interface Trust {
  readonly faultOf: EventFault;
  /** Also those without a signature, as a release before the signatures published them. */
  readonly unsigned: boolean;
}

/** The events from a sequence up to another, in their order. */
export async function* eventsFrom(
  connection: NatsConnection,
  { from, to, trust }: { readonly from: number; readonly to: number; readonly trust: Trust },
): AsyncGenerator<StoredEvent | UnreadableEvent> {
  if (from > to) return;
  for await (const { sequence, storedAt, subject, data, signature } of messagesFrom(connection, eventsName(), from)) {
    if (sequence > to) return;
    const stored = { sequence, storedAt };
    const read = readEvent(subject, data, storedAt);
    if (typeof read === "string") {
      yield { ...stored, name: undefined, subject, problem: read };
      continue;
    }
    const fault = trust.faultOf(read.name, signature, data);
    const isTrusted = fault === undefined || (fault === "unsigned" && trust.unsigned);
    yield isTrusted
      ? { ...stored, ...read }
      : { ...stored, name: undefined, subject, problem: faultTexts[fault], fault };
  }
}

/** How many events have no signature although their service signs such ones, and the first of them. */
export async function countUnsigned(
  connection: NatsConnection,
  { from, to, faultOf }: { readonly from: number; readonly to: number; readonly faultOf: EventFault },
): Promise<{ count: number; first: UnreadableEvent | undefined }> {
  let [count, first]: [number, UnreadableEvent | undefined] = [0, undefined];
  for await (const event of eventsFrom(connection, { from, to, trust: { faultOf, unsigned: false } })) {
    if (event.name !== undefined || event.fault !== "unsigned") continue;
    count++;
    first ??= event;
  }
  return { count, first };
}
