import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { adminOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { ensureStreams } from "../../mixins/jetstream/ensure-streams.ts";
import { type StreamDefinition, streamNames } from "../../mixins/jetstream/streams.ts";
import type { Closing } from "./closing.ts";

/** Publications that wait for their acks at once. */
const window = 2_000;
const pollMs = 25;
const beginEveryMs = 10;
/** A queue from which no message is taken at the start for so long has no consumer. */
const beginMs = 30_000;
/** A queue or a log from which no message is acked for so long counts as stuck. */
const stalledMs = 60_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface QueuedMessage {
  /** Without the namespace's prefix. */
  subject: string;
  id: string;
  /** JSON. */
  text: string;
}

/** Fills a JetStream queue and reads how far its consumers are. */
export class DurableQueue {
  private readonly connection: NatsConnection;
  private readonly manager: JetStreamManager;
  /** The names of its streams: one, or one for each partition. */
  private readonly streams: readonly string[];
  private readonly name: string;

  private constructor(connection: NatsConnection, manager: JetStreamManager, stream: StreamDefinition) {
    this.connection = connection;
    this.manager = manager;
    this.streams = streamNames(stream);
    this.name = stream.name;
  }

  /** Opens a queue: a stream of kind `queue`, made where it is missing. */
  static async open(stream: StreamDefinition, closing: Closing): Promise<DurableQueue> {
    const connection = await connect(adminOptions("bench"));
    closing.add(() => connection.close());
    const manager = await connection.jetstreamManager();
    await ensureStreams(manager, [stream]);
    return new DurableQueue(connection, manager, stream);
  }

  /** Publishes messages as the product does; all are acked when it resolves. Returns how many they were. */
  async fill(messages: Iterable<QueuedMessage>, progress: (line: string) => void): Promise<number> {
    const client = this.connection.jetstream();
    const encoder = new TextEncoder();
    let done = 0;
    let acks: Promise<unknown>[] = [];
    const allAcked = async () => {
      await Promise.all(acks);
      done += acks.length;
      acks = [];
    };
    for (const { subject, id, text } of messages) {
      const data = encoder.encode(text);
      acks.push(client.publish(natsPrefix() + subject, data, { msgID: id, timeout: 20_000 }));
      if (acks.length < window) continue;
      await allAcked();
      if ((done / window) % 10 === 0) progress(`queued: ${done} messages`);
    }
    await allAcked();
    return done;
  }

  /** Messages that are not acked, delivered or not: an acked message is removed from a queue's stream. */
  async left(): Promise<number> {
    const parts = await Promise.all(this.streams.map((stream) => this.manager.streams.info(stream)));
    return parts.reduce((sum, { state }) => sum + state.messages, 0);
  }

  /** Resolves once a consumer of a log has handled all that the log has. */
  async untilRead({ name }: StreamDefinition, consumer: string): Promise<void> {
    for (let least = Number.POSITIVE_INFINITY, at = Date.now(); ; ) {
      const { num_pending, num_ack_pending } = await this.manager.consumers.info(natsPrefix() + name, consumer);
      const waiting = num_pending + num_ack_pending;
      if (waiting === 0) return;
      if (waiting < least) [least, at] = [waiting, Date.now()];
      if (Date.now() - at > stalledMs)
        throw new Error(`${consumer} has read nothing of ${name} for ${stalledMs / 1_000} s: ${waiting} messages wait`);
      await pause(20);
    }
  }

  /** The number of deliveries to a consumer of a log. */
  async deliveriesTo(consumer: string): Promise<number> {
    const { delivered } = await this.manager.consumers.info(this.streams[0] as string, consumer);
    return delivered.consumer_seq;
  }

  /** The number of deliveries to all consumers of the queue. */
  async deliveries(): Promise<number> {
    const parts = await Promise.all(this.streams.map((stream) => this.manager.consumers.list(stream).next()));
    return parts.flat().reduce((sum, { delivered }) => sum + delivered.consumer_seq, 0);
  }

  /**
   * Resolves once there are more than `before` deliveries, to the Unix ms of the last poll that still found no more: at
   * that time there were none.
   */
  async untilBegun(before: number): Promise<number> {
    const deadline = Date.now() + beginMs;
    for (let inVainAt = Date.now(); inVainAt < deadline; ) {
      const askedAt = Date.now();
      if ((await this.deliveries()) > before) return inVainAt;
      inVainAt = askedAt;
      await pause(beginEveryMs);
    }
    throw new Error(`nobody has taken anything from ${this.name} for ${beginMs / 1_000} s`);
  }

  /** Resolves to the Unix ms at which the queue was empty. Reports the progress once a second. */
  async untilEmpty(count: number, progress: (line: string) => void): Promise<number> {
    let said = Date.now();
    let least = { left: Number.POSITIVE_INFINITY, at: said };
    for (;;) {
      const left = await this.left();
      if (left === 0) return Date.now();
      if (left < least.left) least = { left, at: Date.now() };
      if (Date.now() - least.at > stalledMs)
        throw new Error(`${left} messages of ${this.name} have not moved for ${stalledMs / 1_000} s`);
      if (Date.now() - said > 1_000) {
        said = Date.now();
        progress(`settled: ${count - left} of ${count} messages`);
      }
      await pause(pollMs);
    }
  }
}
