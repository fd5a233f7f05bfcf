import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from "nats";
import { limits } from "../../config/limits.ts";

/** The places of a fetch's timers in nats.js 2. */
interface ClientTimers {
  timeout?: { cancel(): void };
  monitor?: { cancel(): void };
}

/** What one pull may bring, in messages or in bytes. */
export type Bound = { readonly max_messages: number } | { readonly max_bytes: number };

/** A pull that is bounded in bytes asks for so many messages: nats.js 2 says so, whatever it is asked for. */
const messagesByBytes = 100;

/** The place of a message in nats.js 2 as it came from the socket, with its size as the server counts it. */
interface ReceivedMessage {
  msg?: { size(): number };
}

export interface PullerPorts {
  /** What may be requested now; while it is `undefined` the puller waits for `roomFreed`. */
  room(): Bound | undefined;
  received(message: JsMsg): void;
  failed(error: unknown): void;
}

/**
 * Pulls one durable consumer and never requests more messages than there is room for. A pull is short and is never
 * cancelled: messages that the server had sent already would be handled by nobody until the ack wait is over.
 */
export class Puller {
  private readonly client: JetStreamClient;
  private readonly stream: string;
  /** The consumer's name, read whenever the consumer has to be looked up again. */
  private readonly name: () => string;
  private readonly ports: PullerPorts;
  private consumer: Consumer | undefined;
  private stopping = false;
  /** The next message may have more bytes than a pull may bring. */
  private isTooLarge = false;
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
      if (!room) {
        await this.pause();
        continue;
      }
      try {
        this.consumer ??= await this.client.consumers.get(this.stream, this.name());
        await this.pull(this.consumer, room);
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
   * The server does not always say that a pull by bytes is over (2.9), so its messages and bytes are counted here too.
   * The client must not request more within it, as it does where heartbeats are late: what comes beyond the bound would
   * be dropped. The server ends such a pull at once where the next message alone has more bytes: that message is
   * requested by itself.
   *
   * Rejects where the server has not ended it: its consumer may be gone and is looked up again.
   */
  private async pull(consumer: Consumer, room: Bound): Promise<void> {
    const expires = limits.jetstream.fetchExpiresMs;
    const bound: Bound = this.isTooLarge ? { max_messages: 1 } : room;
    const startedAt = performance.now();
    const messages: ConsumerMessages = await consumer.fetch({ ...bound, expires });
    const { timeout, monitor } = messages as ConsumerMessages & ClientTimers;
    timeout?.cancel();
    if ("max_bytes" in bound) monitor?.cancel();
    let count = 0;
    let bytes = 0;
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
        if (!("max_bytes" in bound)) continue;
        bytes += (message as ReceivedMessage).msg?.size() ?? 0;
        if (count >= messagesByBytes || bytes >= bound.max_bytes) break;
      }
    } finally {
      clearTimeout(late);
      clearTimeout(silence);
    }
    if (isOverdue) throw new Error("the server did not end a pull");
    this.isTooLarge = "max_bytes" in bound && count === 0 && performance.now() - startedAt < expires / 2;
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
