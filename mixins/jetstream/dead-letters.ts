import { headers, type JetStreamClient, type JetStreamManager, type MsgHdrs, type NatsConnection } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { channelOfDeadLetter } from "./definitions.ts";
import { deadLetters as definition } from "./streams.ts";

/** A message, or an item of one, that a channel could not handle, as stored in stream DEAD. */
export interface DeadLetter {
  /** Its sequence in stream DEAD, by which operators name it. */
  readonly sequence: number;
  /** When it became a dead letter. */
  readonly time: Date;
  /** The durable consumer that could not handle it. */
  readonly channel: string;
  /** Its origin: names as on the server, with the namespace's prefix. */
  readonly subject: string;
  readonly stream: string;
  readonly streamSequence: number;
  /** Its place in its message, from 0; `undefined` where it is the whole message. */
  readonly item: number | undefined;
  readonly reason: string;
  /** Why it was refused as forged (`SignatureFault`); `undefined` where it failed for another reason. */
  readonly forged: string | undefined;
  readonly requestId: string | undefined;
  readonly data: Uint8Array;
}

/**
 * Whether a channel gets messages of that subject from that stream. What a dead letter says of its origin is its
 * writer's word, and a replay publishes with an operator's rights.
 */
export type IsOrigin = (origin: Pick<DeadLetter, "channel" | "stream" | "subject">) => boolean;

/** Headers that are not put back: those of the dead letter, and those that tell the server how to store a message. */
const ownHeader = /^(dead|nats)-/i;
const streamNotFound = 10059;
const messageNotFound = 10037;

function apiCode(error: unknown): number | undefined {
  return (error as { api_error?: { err_code?: number } } | null)?.api_error?.err_code;
}

interface Stored {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly time: Date;
  readonly head: MsgHdrs | undefined;
}

function read({ seq, subject, data, time, head }: Stored): DeadLetter {
  return {
    sequence: seq,
    time,
    channel: channelOfDeadLetter(subject),
    subject: head?.get("Dead-Subject") ?? "",
    stream: head?.get("Dead-Stream") ?? "",
    streamSequence: Number(head?.get("Dead-Sequence")),
    item: head?.has("Dead-Item") ? Number(head.get("Dead-Item")) : undefined,
    reason: head?.get("Dead-Reason") ?? "",
    forged: head?.get("Dead-Forged") || undefined,
    requestId: head?.get("Request-Id") || undefined,
    data,
  };
}

/** The operators' view of dead letters. Everything rejects where JetStream cannot be reached. */
export class DeadLetters {
  private readonly manager: JetStreamManager;
  private readonly client: JetStreamClient;
  private readonly stream = natsPrefix() + definition.name;

  private constructor(manager: JetStreamManager, client: JetStreamClient) {
    this.manager = manager;
    this.client = client;
  }

  /** On a connection that the caller opened and closes. */
  static async open(connection: NatsConnection): Promise<DeadLetters> {
    const manager = await connection.jetstreamManager();
    return new DeadLetters(manager, connection.jetstream({ timeout: limits.jetstream.publishTimeoutMs }));
  }

  /** The number of dead letters by channel; empty where no service ever ran. */
  async countByChannel(): Promise<Map<string, number>> {
    try {
      const { state } = await this.manager.streams.info(this.stream, { subjects_filter: `${natsPrefix()}dead.>` });
      const counts = new Map<string, number>();
      for (const [subject, count] of Object.entries(state.subjects ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
        const channel = channelOfDeadLetter(subject);
        counts.set(channel, (counts.get(channel) ?? 0) + count);
      }
      return counts;
    } catch (error) {
      if (apiCode(error) === streamNotFound) return new Map();
      throw error;
    }
  }

  /** The present dead letters, oldest first. */
  async *all(): AsyncGenerator<DeadLetter> {
    const counts = await this.countByChannel();
    const count = [...counts.values()].reduce((sum, one) => sum + one, 0);
    if (count === 0) return;
    const consumer = await this.client.consumers.get(this.stream);
    const messages = await consumer.fetch({ max_messages: count, expires: limits.jetstream.fetchExpiresMs });
    for await (const { seq, subject, data, info, headers: head } of messages)
      yield read({ seq, subject, data, head, time: new Date(info.timestampNanos / 1e6) });
  }

  async find(sequence: number): Promise<DeadLetter | undefined> {
    const stored = await this.stored(sequence);
    return stored && read(stored);
  }

  /**
   * Puts a dead letter back into its stream, an item as a message of its own, and removes it from the dead letters once
   * the server has acked it. After a crash in between it stays here, and a repeat within JetStream's duplicate window
   * is dropped. Every channel of that subject gets it, under a new message id; consumers recognize repeats by its
   * business id. `false` where there is no such dead letter. The bytes are those that were refused, so a replay never
   * makes a forgery good. @throws Error where no channel of its name has that origin, and where it was refused as
   * forged; with `keyIsBack` not where its key was unknown: it is checked again on its arrival.
   */
  async replay(sequence: number, isOrigin: IsOrigin, { keyIsBack = false } = {}): Promise<boolean> {
    const stored = await this.stored(sequence);
    if (!stored) return false;
    const deadLetter = read(stored);
    if (!deadLetter.subject || !deadLetter.stream)
      throw new Error(`dead letter ${sequence} has no origin: it was not written by a channel`);
    if (!isOrigin(deadLetter))
      throw new Error(`dead letter ${sequence} has an origin that its channel does not read: it can only be given up`);
    if (deadLetter.forged === "unknownKey" && !keyIsBack)
      throw new Error(`dead letter ${sequence} was signed with an unknown key: replay it once the key is known again`);
    if (deadLetter.forged && deadLetter.forged !== "unknownKey")
      throw new Error(`dead letter ${sequence} is forged: it can only be given up`);
    if (stored.head?.has("Dead-Cut"))
      throw new Error(`dead letter ${sequence} was cut, since it was too large to be copied: it cannot be replayed`);
    const head = headers();
    for (const [key, values] of stored.head ?? [])
      if (!ownHeader.test(key)) for (const value of values) head.append(key, value);
    await this.client.publish(deadLetter.subject, deadLetter.data, {
      msgID: `replay:${stored.head?.get("Dead-Replay-Id") || sequence}`,
      headers: head,
      // Refused if the subject belongs to another stream by now.
      expect: { streamName: deadLetter.stream },
    });
    await this.remove(sequence);
    return true;
  }

  /** Removes a dead letter that nobody will handle. Nothing is left of it in JetStream: write it down first. */
  async remove(sequence: number): Promise<void> {
    await this.manager.streams.deleteMessage(this.stream, sequence, false).catch((error: unknown) => {
      // Another operator removed it first.
      if (apiCode(error) !== messageNotFound) throw error;
    });
  }

  private async stored(sequence: number): Promise<Stored | undefined> {
    try {
      const { seq, subject, data, time, header } = await this.manager.streams.getMessage(this.stream, {
        seq: sequence,
      });
      return { seq, subject, data, time, head: header };
    } catch (error) {
      const code = apiCode(error);
      if (code === messageNotFound || code === streamNotFound) return undefined;
      throw error;
    }
  }
}
