import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from "nats";
import { limits } from "../../config/limits.ts";

/** The places of a fetch's timers in nats.js 2. */
interface ClientTimers {
  timeout?: { cancel(): void };
  monitor: { cancel(): void } | null;
}

export interface PullerPorts {
  /** How many messages may be requested now; while it is 0 the puller waits for `roomFreed`. */
  room(): number;
  received(message: JsMsg): void;
  /** A pull was answered, with messages or without. */
  pulled?(): void;
  failed(error: unknown): void;
}

/**
 * Pulls one durable consumer and never requests more messages than there is room for. A pull is short and is never
 * cancelled: messages that the server had sent already would be handled by nobody until the ack wait is over.
 *
 * Pulls are bounded by messages, never by bytes. Where the next message does not fit into the rest of a pull's bytes,
 * the server ends the pull after it has taken the message from its queue of redeliveries. nats-server 2.9 delivers it
 * only after another ack wait, later servers behind the other redeliveries: a key would lose its order.
 */
export class Puller {
  private readonly client: JetStreamClient;
  private readonly stream: string;
  /** The consumer's name, read whenever the consumer has to be looked up again. */
  private readonly name: () => string;
  private readonly ports: PullerPorts;
  private consumer: Consumer | undefined;
  private stopping = false;
  private interrupt: () => void = () => {};
  private readonly finished: Promise<void>;

  constructor(client: JetStreamClient, stream: string, name: () => string, ports: PullerPorts) {
    this.client = client;
    this.stream = stream;
    this.name = name;
    this.ports = ports;
    this.finished = this.run();
  }

  /** There may be room again. */
  roomFreed(): void {
    this.interrupt();
  }

  /** Resolves once the running pull has ended (`limits.jetstream.fetchExpiresMs`) and no more messages arrive. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.finished;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const room = this.ports.room();
      if (room === 0) {
        await this.pause();
        continue;
      }
      try {
        this.consumer ??= await this.client.consumers.get(this.stream, this.name());
        await this.pull(this.consumer, room);
        this.ports.pulled?.();
      } catch (error) {
        this.consumer = undefined;
        if (this.stopping) return;
        this.ports.failed(error);
        await this.pause(limits.jetstream.fetchRetryMs);
      }
    }
  }

  /**
   * One pull, until the server ends it. The client has its own timer, 50 ms after the server's, and drops later
   * messages. A busy process reads messages late that were sent in time; they would be delivered again only after the
   * ack wait, behind later ones. So that timer is replaced by one that lasts as long as the ack wait.
   *
   * Where heartbeats are late, the client would request the messages a second time within the pull, end it after as many
   * as it requested once, and drop the others. So its monitor of heartbeats is removed.
   *
   * Rejects where the server has not ended it: its consumer may be gone and is looked up again.
   */
  private async pull(consumer: Consumer, room: number): Promise<void> {
    const expires = limits.jetstream.fetchExpiresMs;
    const messages = (await consumer.fetch({ max_messages: room, expires })) as ConsumerMessages & ClientTimers;
    messages.timeout?.cancel();
    messages.monitor?.cancel();
    // A reconnect would start it again.
    messages.monitor = null;
    let count = 0;
    let isOverdue = false;
    const giveUp = () => {
      isOverdue = true;
      void messages.close();
    };
    const late = setTimeout(giveUp, expires + limits.jetstream.ackWaitMs);
    // What has arrived meanwhile in a busy process is read first.
    const isSilent = () => setImmediate(() => setImmediate(() => (count === 0 ? giveUp() : undefined)));
    const silence = setTimeout(isSilent, expires + limits.jetstream.fetchSilentMs);
    try {
      for await (const message of messages) {
        this.ports.received(message);
        count++;
      }
    } finally {
      clearTimeout(late);
      clearTimeout(silence);
    }
    if (isOverdue) throw new Error("the server did not end a pull");
  }

  private async pause(ms?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.interrupt = resolve;
      if (ms !== undefined) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}
