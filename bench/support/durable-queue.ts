import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { ensureStreams, type StreamDefinition, streamNames } from "../../mixins/jetstream/streams.ts";
import type { Closing } from "./closing.ts";

/** How many publications wait for their acks at a time. */
const window = 2_000;
const lookEveryMs = 25;
const beginEveryMs = 10;
/** A queue that nothing leaves for so long will not get empty. */
const stalledMs = 60_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface QueuedMessage {
  /** Without the namespace's prefix. */
  subject: string;
  id: string;
  payload: unknown;
}

/** A queue of JetStream as the benchmark sees it from outside: fills it, and looks how far its consumer is. */
export class DurableQueue {
  private readonly connection: NatsConnection;
  private readonly manager: JetStreamManager;
  /** Their names on the server: one, or one a partition. */
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
    const connection = await connect(natsOptions("bench"));
    closing.add(() => connection.close());
    const manager = await connection.jetstreamManager();
    await ensureStreams(manager, [stream]);
    return new DurableQueue(connection, manager, stream);
  }

  /** Puts `count` messages there, as the product does; every one is acked when this resolves. */
  async fill(count: number, message: (n: number) => QueuedMessage, progress: (line: string) => void): Promise<void> {
    const client = this.connection.jetstream();
    const encoder = new TextEncoder();
    for (let done = 0; done < count; done += window) {
      const size = Math.min(window, count - done);
      await Promise.all(
        Array.from({ length: size }, (_, i) => {
          const { subject, id, payload } = message(done + i);
          const data = encoder.encode(JSON.stringify(payload));
          return client.publish(natsPrefix() + subject, data, { msgID: id, timeout: 20_000 });
        }),
      );
      if ((done / window) % 10 === 9) progress(`queued: ${done + size} of ${count}`);
    }
  }

  /** Messages that are not acked, whether they were delivered or not: an acked message leaves such a stream. */
  async left(): Promise<number> {
    const parts = await Promise.all(this.streams.map((stream) => this.manager.streams.info(stream)));
    return parts.reduce((sum, { state }) => sum + state.messages, 0);
  }

  /** How many deliveries there have been, to all consumers of the queue. */
  async deliveries(): Promise<number> {
    const parts = await Promise.all(this.streams.map((stream) => this.manager.consumers.list(stream).next()));
    return parts.flat().reduce((sum, { delivered }) => sum + delivered.consumer_seq, 0);
  }

  /**
   * Resolves once there are deliveries beyond the first `before`, to the Unix ms of the last question that was answered
   * with no: when it was asked there certainly were none.
   */
  async untilBegun(before: number): Promise<number> {
    const deadline = Date.now() + stalledMs;
    for (let inVainAt = Date.now(); inVainAt < deadline; ) {
      const askedAt = Date.now();
      if ((await this.deliveries()) > before) return inVainAt;
      inVainAt = askedAt;
      await pause(beginEveryMs);
    }
    throw new Error(`nobody has taken anything from ${this.name} for ${stalledMs / 1_000} s`);
  }

  /** Resolves to the Unix ms at which nothing was left. Says how far it is once a second. */
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
        progress(`settled: ${count - left} of ${count}`);
      }
      await pause(lookEveryMs);
    }
  }
}
