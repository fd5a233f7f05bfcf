import type { Consumer, ConsumerMessages, JetStreamClient, JsMsg } from "nats";
import { limits } from "../../config/limits.ts";

/** Where nats.js 2 keeps the timer of a fetch. */
interface ClientTimer {
  timeout?: { cancel(): void };
}

export interface PullerPorts {
  /** How many messages may be asked for now; below one the puller waits for `roomFreed`. */
  room(): number;
  received(message: JsMsg): void;
  failed(error: unknown): void;
}

/**
 * Pulls one durable consumer, never asking for more than there is room for. A pull is short, and never broken off: what
 * the server had sent on the way would be in nobody's hand until the ack wait.
 */
export class Puller {
  private readonly client: JetStreamClient;
  private readonly stream: string;
  /** The consumer's name, asked for whenever it has to be found anew. */
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

  /** Resolves once the pull that is under way has ended (`limits.jetstream.fetchExpiresMs`) and no more messages come. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.finished;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const room = this.ports.room();
      if (room < 1) {
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
   * One pull, until the server says that it has ended. The client has a timer of its own, 50 ms after the server's, and
   * drops what it reads after that: in a busy process messages that were sent in time are read late, and would come again
   * only after the ack wait, behind later ones. So that timer is ended, and one takes its place that waits as long as the
   * server itself waits for an ack.
   */
  private async pull(consumer: Consumer, room: number): Promise<void> {
    const expires = limits.jetstream.fetchExpiresMs;
    const messages: ConsumerMessages = await consumer.fetch({ max_messages: room, expires });
    (messages as ConsumerMessages & ClientTimer).timeout?.cancel();
    const late = setTimeout(() => void messages.close(), expires + limits.jetstream.ackWaitMs);
    try {
      for await (const message of messages) this.ports.received(message);
    } finally {
      clearTimeout(late);
    }
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
