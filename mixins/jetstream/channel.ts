import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";

/** A message as a handler sees it. */
export interface ChannelMessage<T = unknown> {
  readonly data: T;
  readonly subject: string;
  /** The place in the stream, the same in every delivery. */
  readonly sequence: number;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  readonly requestId: string | undefined;
}

/** A durable pull consumer, shared by all nodes that have the same `durable`. */
export interface ChannelDefinition<This = unknown> {
  readonly stream: string;
  /** Filter, without the namespace's prefix; may end in `*` or `>`. Left out it is the whole stream, which costs less. */
  readonly subject?: string;
  readonly durable: string;
  /** Messages of one handler call at the most. */
  readonly batch: number;
  readonly batchesInFlight: number;
  /** Checks what came off the wire; a message that it throws on goes to the dead letters at once. */
  readonly parse?: (data: unknown) => unknown;
  /**
   * Handles a batch; every message of it is acked once this resolves, so it must have done all it does by then. Where
   * it rejects the whole batch comes again, later each time: so it must be idempotent. A rejection with `unavailable`
   * is tried for ever; any other is tried message by message, and goes to the dead letters in the end.
   */
  handler(this: This, messages: ChannelMessage[]): Promise<void>;
}

interface ChannelLog {
  info(about: object, text: string): void;
  warn(about: object, text: string): void;
  error(about: object, text: string): void;
}

const decoder = new TextDecoder();
const nanos = (ms: number) => ms * 1_000_000;

/**
 * Pulls a durable consumer and hands its messages on in batches: what gathered while the last batches were busy is the
 * next one, so an idle channel handles a message at once and a busy one handles many together. What is buffered here and
 * in flight never exceeds batch × (batchesInFlight + 1): the fetches ask for no more than there is room for.
 */
export class Channel {
  private readonly buffer: JsMsg[] = [];
  private readonly running = new Set<Promise<void>>();
  private inFlight = 0;
  private stopping = false;
  private fetching: ConsumerMessages | undefined;
  private loop: Promise<void> | undefined;
  private roomFreed: () => void = () => {};
  private readonly publishDead: (subject: string, message: JsMsg, reason: string) => Promise<void>;
  private readonly definition: ChannelDefinition;
  private readonly handle: (messages: ChannelMessage[]) => Promise<void>;
  private readonly log: ChannelLog;

  constructor(
    definition: ChannelDefinition,
    handle: (messages: ChannelMessage[]) => Promise<void>,
    publishDead: (subject: string, message: JsMsg, reason: string) => Promise<void>,
    log: ChannelLog,
  ) {
    this.definition = definition;
    this.handle = handle;
    this.publishDead = publishDead;
    this.log = log;
  }

  /** Messages held in this process, waiting and in flight. */
  get held(): number {
    return this.buffer.length + this.inFlight;
  }

  async start(manager: JetStreamManager, client: JetStreamClient): Promise<void> {
    const stream = natsPrefix() + this.definition.stream;
    const durable = this.definition.durable;
    await manager.consumers.add(stream, {
      durable_name: durable,
      ...(this.definition.subject ? { filter_subject: natsPrefix() + this.definition.subject } : {}),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(limits.jetstream.ackWaitMs),
      max_deliver: -1,
      max_ack_pending: limits.jetstream.maxAckPending,
    });
    this.loop = this.fetchLoop(client, stream, durable);
  }

  /** Takes no more, lets the batches in flight finish, gives the rest back to the other nodes. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.roomFreed();
    this.fetching?.stop();
    await this.loop;
    for (const message of this.buffer.splice(0)) message.nak();
    await Promise.all(this.running);
  }

  private get capacity(): number {
    return this.definition.batch * (this.definition.batchesInFlight + 1);
  }

  private async fetchLoop(client: JetStreamClient, stream: string, durable: string): Promise<void> {
    while (!this.stopping) {
      const room = this.capacity - this.held;
      if (room < Math.max(1, this.definition.batch / 4)) {
        await new Promise<void>((resolve) => {
          this.roomFreed = resolve;
        });
        continue;
      }
      try {
        const consumer = await client.consumers.get(stream, durable);
        this.fetching = await consumer.fetch({ max_messages: room, expires: limits.jetstream.fetchExpiresMs });
        if (this.stopping) this.fetching.stop();
        for await (const message of this.fetching) {
          this.buffer.push(message);
          this.dispatch();
        }
      } catch (error) {
        if (this.stopping) return;
        this.log.warn({ err: error, channel: durable }, "fetching failed: tried again after a pause");
        await this.pause(limits.jetstream.fetchRetryMs);
      }
    }
  }

  /** Ends early when the channel stops. */
  private async pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      this.roomFreed = resolve;
    });
    clearTimeout(timer);
  }

  private dispatch(): void {
    while (!this.stopping && this.buffer.length > 0 && this.running.size < this.definition.batchesInFlight) {
      const messages = this.buffer.splice(0, this.definition.batch);
      this.inFlight += messages.length;
      const work = this.process(messages).finally(() => {
        this.inFlight -= messages.length;
        this.running.delete(work);
        this.roomFreed();
        this.dispatch();
      });
      this.running.add(work);
    }
  }

  private async process(messages: JsMsg[]): Promise<void> {
    const keepAlive = setInterval(() => {
      for (const message of messages) message.working();
    }, limits.jetstream.ackWaitMs / 3);
    try {
      await this.attempt(messages);
    } finally {
      clearInterval(keepAlive);
    }
  }

  private async attempt(messages: JsMsg[]): Promise<void> {
    const readable: { message: JsMsg; data: unknown }[] = [];
    for (const message of messages) {
      try {
        const data: unknown = JSON.parse(decoder.decode(message.data));
        readable.push({ message, data: this.definition.parse ? this.definition.parse(data) : data });
      } catch (error) {
        await this.bury(message, `unreadable: ${(error as Error).message}`);
      }
    }
    if (readable.length === 0) return;
    try {
      await this.handle(readable.map(({ message, data }) => view(message, data)));
      for (const { message } of readable) message.ack();
    } catch (error) {
      await this.failed(
        readable.map(({ message }) => message),
        error,
      );
    }
  }

  private async failed(messages: JsMsg[], error: unknown): Promise<void> {
    const { durable } = this.definition;
    const first = messages[0] as JsMsg;
    if (isUnavailable(error)) {
      const about = { channel: durable, messages: messages.length, sequence: first.seq, err: error };
      this.log.warn(about, "a dependency is not reachable: the batch comes again");
      for (const message of messages) message.nak(nakDelay(message));
      return;
    }
    if (messages.length > 1) {
      // One of them is bad; alone, the others pass.
      for (const message of messages) await this.attempt([message]);
      return;
    }
    const about = { channel: durable, sequence: first.seq, deliveries: first.info.redeliveryCount, err: error };
    if (first.info.redeliveryCount < limits.jetstream.maxDeliveries) {
      this.log.error(about, "a message could not be handled: it comes again");
      first.nak(nakDelay(first));
      return;
    }
    await this.bury(first, (error as Error).message);
  }

  /** To the dead letters; the original is acked only once its copy is safe there. */
  private async bury(message: JsMsg, reason: string): Promise<void> {
    const about = { channel: this.definition.durable, sequence: message.seq, subject: message.subject, reason };
    try {
      await this.publishDead(this.definition.durable, message, reason);
      message.ack();
      this.log.error(about, "a message went to the dead letters: look at it and replay it");
    } catch (error) {
      message.nak(nakDelay(message));
      this.log.error({ ...about, err: error }, "a dead letter could not be written: its message comes again");
    }
  }
}

function view(message: JsMsg, data: unknown): ChannelMessage {
  return {
    data,
    subject: message.subject,
    sequence: message.seq,
    deliveries: message.info.redeliveryCount,
    requestId: message.headers?.get("Request-Id") || undefined,
  };
}

/** Doubles from delivery to delivery, ms. */
function nakDelay(message: JsMsg): number {
  const doublings = Math.min(message.info.redeliveryCount - 1, 10);
  return Math.min(limits.jetstream.nakFirstDelayMs * 2 ** Math.max(0, doublings), limits.jetstream.nakMaxDelayMs);
}
