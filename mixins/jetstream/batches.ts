import type { JsMsg } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { Mailboxes } from "../mailboxes.ts";
import type { ChannelMessage } from "./channel.ts";

export interface BatchPorts {
  handle(messages: ChannelMessage[]): Promise<void>;
  /** Resolves once the copy is safe in the dead letters. */
  publishDead(channel: string, message: JsMsg, reason: string): Promise<void>;
  log: Record<"info" | "warn" | "error", (about: object, text: string) => void>;
}

export interface BatchBounds {
  /** The channel's name, for logs and dead letters. */
  readonly durable: string;
  readonly batch: number;
  readonly batchesInFlight: number;
}

interface Delivered {
  readonly key: string;
  readonly message: JsMsg;
  readonly data: unknown;
  attempts: number;
}

type Hand = Map<string, Delivered[]>;

/**
 * Messages on their way through the handler: gathered into batches, tried again, put aside. What is held is kept from
 * being delivered again, however long its handling takes.
 */
export class Batches {
  private readonly bounds: BatchBounds;
  private readonly ports: BatchPorts;
  /** There is room again. */
  private readonly freed: () => void;
  private readonly boxes = new Mailboxes<Delivered>();
  private readonly running = new Set<Promise<void>>();
  /** Messages handed out or waiting for another try. */
  private readonly inHand = new Set<Delivered>();
  private readonly heldSequences = new Set<number>();
  /** Who waits for a consumer's messages to be handled. */
  private readonly waiting = new Map<string, () => void>();
  private readonly keepAlive: NodeJS.Timeout;
  private draining = false;
  private stopping = false;
  private haltNow: () => void = () => {};
  private readonly halted = new Promise<void>((resolve) => {
    this.haltNow = resolve;
  });
  private dispatchScheduled = false;

  constructor(bounds: BatchBounds, ports: BatchPorts, freed: () => void) {
    this.bounds = bounds;
    this.ports = ports;
    this.freed = freed;
    this.keepAlive = setInterval(() => {
      for (const { message } of [...this.inHand, ...this.boxes]) message.working();
    }, limits.jetstream.ackWaitMs / 3);
  }

  /** Messages held, waiting and in hand. */
  get held(): number {
    return this.boxes.size + this.inHand.size;
  }

  /** Takes a message unless it is here already: then this process was too busy to say so in time. */
  put(message: JsMsg, read: () => { key: string; data: unknown }): void {
    if (this.heldSequences.has(message.seq)) return;
    this.heldSequences.add(message.seq);
    try {
      this.boxes.put({ ...read(), message, attempts: 0 });
      this.dispatchSoon();
    } catch (error) {
      this.track(this.bury(message, `unreadable: ${(error as Error).message}`));
    }
  }

  /** Resolves once nothing of a consumer is held. */
  async handled(consumer: string): Promise<void> {
    while (this.holds(consumer))
      await new Promise<void>((resolve) => {
        this.waiting.set(consumer, resolve);
      });
    this.waiting.delete(consumer);
  }

  private holds(consumer: string): boolean {
    for (const { message } of this.inHand) if (message.info.consumer === consumer) return true;
    for (const { message } of this.boxes) if (message.info.consumer === consumer) return true;
    return false;
  }

  /**
   * Handles what is held and then resolves; once something of it fails, or the time is over, the rest is given back to
   * the other nodes.
   */
  async stop(): Promise<void> {
    this.draining = true;
    const deadline = setTimeout(() => this.halt(), limits.jetstream.drainMs);
    if (this.held > 0) await this.halted;
    this.halt();
    clearTimeout(deadline);
    await Promise.all(this.running);
    this.giveBack([...this.inHand]);
    clearInterval(this.keepAlive);
  }

  private halt(): void {
    this.stopping = true;
    this.giveBack(this.boxes.remove(() => true));
    for (const resolve of this.waiting.values()) resolve();
    this.haltNow();
  }

  private giveBack(letters: readonly Delivered[]): void {
    for (const letter of letters) this.finish(letter, () => letter.message.nak());
  }

  /** What one read from the socket brought is handed on together. */
  private dispatchSoon(): void {
    if (this.dispatchScheduled) return;
    this.dispatchScheduled = true;
    setImmediate(() => {
      this.dispatchScheduled = false;
      this.dispatch();
    });
  }

  private track(work: Promise<void>): void {
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
  }

  private dispatch(): void {
    while (!this.stopping && this.boxes.hasReady && this.running.size < this.bounds.batchesInFlight) {
      const hand = this.boxes.take(this.bounds.batch);
      for (const letters of hand.values()) for (const letter of letters) this.inHand.add(letter);
      const work = this.attempt(hand).finally(() => {
        this.freed();
        this.dispatchSoon();
      });
      this.track(work);
    }
  }

  /** Never rejects: every message of the hand is acked, buried, or waits for another try. */
  private async attempt(hand: Hand): Promise<void> {
    const letters = [...hand.values()].flat();
    try {
      await this.ports.handle(letters.map(view));
      for (const letter of letters) this.finish(letter, () => letter.message.ack());
      for (const key of hand.keys()) this.boxes.done(key);
      for (const resolve of this.waiting.values()) resolve();
    } catch (error) {
      const about = { channel: this.bounds.durable, messages: letters.length, err: error };
      if (isUnavailable(error)) {
        this.ports.log.warn(about, "a dependency is not reachable: the batch is tried again");
        for (const [key, own] of hand) this.tryLater(key, own);
      } else if (hand.size > 1) {
        // One of them is bad; alone, the others pass.
        this.ports.log.warn(about, "a batch could not be handled: tried key by key");
        for (const [key, own] of hand) await this.attempt(new Map([[key, own]]));
      } else await this.failed(hand, error);
    }
  }

  private async failed(hand: Hand, error: unknown): Promise<void> {
    const [[key, letters]] = hand as unknown as [[string, Delivered[]]];
    const [first, ...rest] = letters as [Delivered, ...Delivered[]];
    const about = {
      channel: this.bounds.durable,
      sequence: first.message.seq,
      attempts: first.attempts,
      err: error,
    };
    if (rest.length > 0) {
      // The bad one of a key is found by trying its first alone; the others follow it in order.
      for (const letter of rest) this.inHand.delete(letter);
      this.boxes.returnRest(key, rest);
      await this.attempt(new Map([[key, [first]]]));
    } else if (first.attempts + 1 < limits.jetstream.maxAttempts) {
      this.ports.log.error(about, "a message could not be handled: it is tried again");
      this.tryLater(key, letters);
    } else {
      await this.bury(first.message, (error as Error).message);
      this.inHand.delete(first);
      this.boxes.done(key);
    }
  }

  /** The key's messages stay in hand and are first in line again after a pause that grows with each try. */
  private tryLater(key: string, letters: Delivered[]): void {
    if (this.draining) {
      this.halt();
      return;
    }
    const { retryFirstDelayMs, retryMaxDelayMs } = limits.jetstream;
    const tries = letters[0]?.attempts ?? 0;
    for (const letter of letters) letter.attempts++;
    const timer = setTimeout(
      () => {
        if (this.stopping) return;
        for (const letter of letters) this.inHand.delete(letter);
        this.boxes.putBack(key, letters);
        this.dispatch();
      },
      Math.min(retryFirstDelayMs * 2 ** Math.min(tries, 10), retryMaxDelayMs),
    );
    timer.unref();
  }

  private finish(letter: Delivered, settle: () => void): void {
    this.inHand.delete(letter);
    this.heldSequences.delete(letter.message.seq);
    settle();
    if (this.draining && this.held === 0) this.haltNow();
  }

  /** To the dead letters; the original is acked only once its copy is safe there. */
  private async bury(message: JsMsg, reason: string): Promise<void> {
    const { durable } = this.bounds;
    const about = { channel: durable, sequence: message.seq, subject: message.subject, reason };
    try {
      await this.ports.publishDead(durable, message, reason);
      message.ack();
      this.ports.log.error(about, "a message went to the dead letters: look at it and replay it");
    } catch (error) {
      message.nak(limits.jetstream.retryMaxDelayMs);
      this.ports.log.error({ ...about, err: error }, "a dead letter could not be written: its message comes again");
    } finally {
      this.heldSequences.delete(message.seq);
    }
  }
}

function view({ message, data }: Delivered): ChannelMessage {
  return {
    data,
    subject: message.subject,
    sequence: message.seq,
    requestId: message.headers?.get("Request-Id") || undefined,
  };
}
