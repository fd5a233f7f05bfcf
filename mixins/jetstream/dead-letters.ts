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
  /** Its data are the beginning of a message that was too large to be copied. */
  readonly isCut: boolean;
  readonly data: Uint8Array;
}

/**
 * Whether a channel gets messages of that subject from that stream. What a dead letter says of its origin is its
 * writer's word, and a replay publishes with an operator's rights.
 */
export type IsOrigin = (origin: Pick<DeadLetter, "channel" | "stream" | "subject">) => boolean;

/** Why a dead letter is not put back: nothing happened, and a repeat is refused too. */
export class ReplayRefused extends Error {}

/** Headers that are not put back: those of the dead letter, and those that tell the server how to store a message. */
const ownHeader = /^(dead|nats)-/i;
const streamNotFound = 10059;
const messageNotFound = 10037;
/** Of a publication: its subject is of another stream than expected. */
const otherStream = 10060;
/** Of a deletion: there is no such sequence, or the store could not delete it. */
const sequenceNotFound = 10043;
const deleteFailed = 10057;

interface ApiError {
  readonly err_code?: number;
  readonly description?: string;
}

function apiErrorOf(error: unknown): ApiError | undefined {
  return (error as { api_error?: ApiError } | null)?.api_error;
}

const apiCode = (error: unknown) => apiErrorOf(error)?.err_code;

/** Whether a deletion found no such message. */
function wasGone(error: unknown): boolean {
  const { err_code, description = "" } = apiErrorOf(error) ?? {};
  if (err_code === deleteFailed) return description.includes("no message found");
  return err_code === messageNotFound || err_code === sequenceNotFound;
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
    isCut: head?.has("Dead-Cut") === true,
    data,
  };
}

/** Why it cannot be put back, as the end of a sentence; `undefined` where it can. */
function refusalOf(deadLetter: DeadLetter, isOrigin: IsOrigin, keyIsBack: boolean): string | undefined {
  const { subject, stream, forged, isCut } = deadLetter;
  if (!subject || !stream) return "has no origin: it was not written by a channel";
  if (!isOrigin(deadLetter)) return "has an origin that its channel does not read: it can only be given up";
  if (forged === "unknownKey" && !keyIsBack)
    return "was signed with an unknown key: replay it once the key is known again";
  if (forged && forged !== "unknownKey") return "is forged: it can only be given up";
  return isCut ? "was cut, since it was too large to be copied: it cannot be replayed" : undefined;
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

  /** How many there are now; 0 where no service ever ran. */
  async count(): Promise<number> {
    try {
      return (await this.manager.streams.info(this.stream)).state.messages;
    } catch (error) {
      if (apiCode(error) === streamNotFound) return 0;
      throw error;
    }
  }

  /** The first `limit` after a sequence, oldest first, one request each; `more`: whether others follow. */
  async page({ after, limit }: { after: number; limit: number }): Promise<{ list: DeadLetter[]; more: boolean }> {
    const list: DeadLetter[] = [];
    for (let last = after; ; ) {
      const next = { seq: last + 1, next_by_subj: `${natsPrefix()}dead.>` };
      const stored = await this.storedBy(next);
      if (!stored) return { list, more: false };
      if (list.length === limit) return { list, more: true };
      list.push(read(stored));
      last = stored.seq;
    }
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
   * makes a forgery good. @throws ReplayRefused where no channel of its name has that origin, and where it was refused
   * as forged; with `keyIsBack` not where its key was unknown: it is checked again on its arrival.
   */
  async replay(sequence: number, isOrigin: IsOrigin, { keyIsBack = false } = {}): Promise<boolean> {
    const stored = await this.stored(sequence);
    if (!stored) return false;
    const deadLetter = read(stored);
    const refused = refusalOf(deadLetter, isOrigin, keyIsBack);
    if (refused !== undefined) throw new ReplayRefused(`dead letter ${sequence} ${refused}`);
    const head = headers();
    for (const [key, values] of stored.head ?? [])
      if (!ownHeader.test(key)) for (const value of values) head.append(key, value);
    const options = {
      msgID: `replay:${stored.head?.get("Dead-Replay-Id") || sequence}`,
      headers: head,
      // Refused if the subject belongs to another stream by now.
      expect: { streamName: deadLetter.stream },
    };
    await this.client.publish(deadLetter.subject, deadLetter.data, options).catch((error: unknown) => {
      const elsewhere = `dead letter ${sequence} has a subject that belongs to another stream by now`;
      throw apiCode(error) === otherStream ? new ReplayRefused(elsewhere) : error;
    });
    await this.remove(sequence);
    return true;
  }

  /**
   * Removes a dead letter that nobody will handle. Nothing is left of it in JetStream: write it down first. `false`
   * where it was gone already.
   */
  async remove(sequence: number): Promise<boolean> {
    try {
      return await this.manager.streams.deleteMessage(this.stream, sequence, false);
    } catch (error) {
      // Another operator removed it first.
      if (wasGone(error)) return false;
      throw error;
    }
  }

  private stored(sequence: number): Promise<Stored | undefined> {
    return this.storedBy({ seq: sequence });
  }

  private async storedBy(request: { seq: number; next_by_subj?: string }): Promise<Stored | undefined> {
    try {
      const { seq, subject, data, time, header } = await this.manager.streams.getMessage(this.stream, request);
      return { seq, subject, data, time, head: header };
    } catch (error) {
      const code = apiCode(error);
      if (code === messageNotFound || code === streamNotFound) return undefined;
      throw error;
    }
  }
}
