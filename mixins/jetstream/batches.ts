import type { JsMsg } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { acknowledge, deadLetter, keepHeld } from "./acks.ts";
import { BatchTimer } from "./batch-timer.ts";
import { type Batch, type Delivered, type HandlingPorts, placeOf, retryDelayMs, view } from "./message.ts";

export interface BatchBounds {
  /** The channel's name, for logs and dead letters. */
  readonly durable: string;
  readonly batch: number;
  readonly batchesInFlight: number;
  /** The shortest time between the starts of two batches, unless the second is full; 0 where left out. */
  readonly gatherMs?: number;
}

/**
 * The messages that a channel holds, until they are handled. Messages of one key are handled in their order, and never
 * in two batches at once. A message that is held is not delivered again, however long it is handled.
 *
 * States of a message, and the moves between them:
 *
 *     (delivered) → waiting → in work → acked
 *     in work → pausing → waiting     unavailable: after a growing delay, without limit
 *     in work → in work               an error of a batch with several keys: each key is tried alone
 *     in work → waiting               an error of a batch with one key: all messages but the first, which is tried alone
 *     in work → pausing → waiting     an error of one message alone, up to `limits.jetstream.maxAttempts` times
 *     in work → dead letter           after that; a message that cannot be read becomes one at once
 *     waiting, pausing → given back   halted: another node gets it
 *
 * Modes of the channel:
 *
 *     running → draining              `stop`: the held messages are handled
 *     draining → halted               a message failed, or `limits.jetstream.drainMs` have passed: the messages that are
 *                                     not in work are given back
 */
export class Batches {
  private readonly bounds: BatchBounds;
  private readonly ports: HandlingPorts;
  /** Called when there is room for more messages. */
  private readonly freed: () => void;
  private readonly waiting = new KeyedQueue<Delivered>();
  /** Messages in work or pausing. */
  private readonly taken = new Set<Delivered>();
  private readonly running = new Set<Promise<void>>();
  private inFlight = 0;
  /** The positions in the queue of all messages that are held. */
  private readonly heldPlaces = new Set<string>();
  /** Resolvers that wait until no message of a stream is held. */
  private readonly waiters = new Map<string, () => void>();
  private readonly keepAlive: NodeJS.Timeout;
  private mode: "running" | "draining" | "halted" = "running";
  private readonly halted = Promise.withResolvers<void>();
  private readonly timer: BatchTimer;

  constructor(bounds: BatchBounds, ports: HandlingPorts, freed: () => void) {
    this.bounds = bounds;
    this.ports = ports;
    this.freed = freed;
    this.timer = new BatchTimer(bounds.gatherMs ?? 0, ports.log, () => this.dispatch());
    this.keepAlive = keepHeld(ports, () => [...this.taken, ...this.waiting]);
  }

  /** Messages held, in whichever state. */
  get held(): number {
    return this.waiting.size + this.taken.size;
  }

  /**
   * Takes a message, unless it is held already: then it was delivered again because this process extended its ack wait
   * too late.
   */
  put(message: JsMsg, read: () => { key: string; data: unknown }): void {
    const place = placeOf(message);
    if (this.heldPlaces.has(place)) return;
    if (this.mode === "halted") {
      acknowledge(this.ports, message, () => message.nak());
      return;
    }
    this.heldPlaces.add(place);
    try {
      this.waiting.put({ ...read(), message, tries: 0, faults: 0 });
      this.timer.soon();
    } catch (error) {
      this.track(this.toDeadLetters(message, `unreadable: ${messageOf(error)}`));
    }
  }

  /** Resolves once nothing of a stream is held. */
  async handled(stream: string): Promise<void> {
    while (this.holds(stream))
      await new Promise<void>((resolve) => {
        this.waiters.set(stream, resolve);
      });
    this.waiters.delete(stream);
  }

  private holds(stream: string): boolean {
    return [...this.taken, ...this.waiting].some(({ message }) => message.info.stream === stream);
  }

  /**
   * Handles the messages that are held, then resolves. Messages that cannot be handled are given back to the other
   * nodes.
   */
  async stop(): Promise<void> {
    this.mode = "draining";
    this.dispatch();
    const deadline = setTimeout(() => this.halt(), limits.jetstream.drainMs);
    if (this.held > 0) await this.halted.promise;
    this.halt();
    clearTimeout(deadline);
    await Promise.all(this.running);
    this.giveBack([...this.taken, ...this.waiting.remove(() => true)]);
    clearInterval(this.keepAlive);
    this.timer.stop();
  }

  /**
   * Gives back the waiting messages. Messages of a key that is in work stay until its batch has ended. Messages are
   * delivered again in the order in which they are given back, so those of a failed batch must go first.
   */
  private halt(): void {
    this.mode = "halted";
    this.giveBack(this.waiting.remove(({ key }) => !this.waiting.isBusy(key)));
    for (const resolve of this.waiters.values()) resolve();
    this.halted.resolve();
  }

  private giveBack(messages: readonly Delivered[]): void {
    for (const one of messages) this.finish(one, () => one.message.nak());
  }

  private track(work: Promise<void>): void {
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
  }

  private dispatch(): void {
    const { batch: most, batchesInFlight } = this.bounds;
    while (this.mode !== "halted" && this.waiting.hasReady && this.inFlight < batchesInFlight) {
      if (!this.timer.mayStart(this.mode === "draining" || this.waiting.size >= most)) return;
      const batch = this.waiting.take(most);
      for (const messages of batch.values()) for (const one of messages) this.taken.add(one);
      this.inFlight++;
      this.track(this.attempt(batch).finally(() => this.ended()));
    }
  }

  private ended(): void {
    this.inFlight--;
    this.timer.soon();
    this.freed();
  }

  /**
   * Never rejects: afterwards every message of the batch is acked, a dead letter, pausing or waiting; once halted, some
   * may be in work still, and `stop` gives them back.
   */
  private async attempt(batch: Batch): Promise<void> {
    const messages = [...batch.values()].flat();
    try {
      await this.ports.handle(messages.map(view));
      for (const one of messages) this.finish(one, () => one.message.ack());
      for (const key of batch.keys()) this.waiting.done(key);
    } catch (error) {
      const about = { channel: this.bounds.durable, messages: messages.length, err: error };
      if (isUnavailable(error)) {
        this.ports.log.warn(about, "a dependency is not reachable: the batch is tried again");
        for (const [key, own] of batch) this.tryLater(key, own);
      } else if (batch.size > 1) {
        this.ports.log.warn(about, "a batch could not be handled: it is tried again key by key");
        for (const [key, own] of batch) if (this.mode !== "halted") await this.attempt(new Map([[key, own]]));
      } else await this.failed(batch, error);
    }
  }

  /** After an error of a batch with one key: its first message is tried alone, and the others follow in order. */
  private async failed(batch: Batch, error: unknown): Promise<void> {
    const [[key, messages]] = batch as unknown as [[string, Delivered[]]];
    const [first, ...rest] = messages as [Delivered, ...Delivered[]];
    if (rest.length > 0) {
      for (const one of rest) this.taken.delete(one);
      this.waiting.returnRest(key, rest);
      await this.attempt(new Map([[key, [first]]]));
    } else if (this.mayFailAgain(first, error)) this.tryLater(key, [first]);
    else {
      await this.toDeadLetters(first.message, messageOf(error));
      this.taken.delete(first);
      this.waiting.done(key);
      this.progressed();
    }
  }

  /** Counts an error of a message that was handled alone. An outage is not counted. */
  private mayFailAgain(one: Delivered, error: unknown): boolean {
    one.faults++;
    if (one.faults >= limits.jetstream.maxAttempts) return false;
    const about = { channel: this.bounds.durable, sequence: one.message.seq, faults: one.faults, err: error };
    this.ports.log.error(about, "a message could not be handled: it is tried again");
    return true;
  }

  /** The messages of the key pause, each time for longer. After the pause they are the first of their key. */
  private tryLater(key: string, messages: Delivered[]): void {
    if (this.mode !== "running") {
      this.halt();
      return;
    }
    const delayMs = retryDelayMs(messages[0]?.tries ?? 0);
    for (const one of messages) one.tries++;
    const again = () => {
      if (this.mode === "halted") return;
      for (const one of messages) this.taken.delete(one);
      this.waiting.putBack(key, messages);
      this.dispatch();
    };
    setTimeout(again, delayMs).unref();
  }

  private async toDeadLetters(message: JsMsg, reason: string): Promise<void> {
    await deadLetter(this.ports, this.bounds.durable, message, reason);
    this.heldPlaces.delete(placeOf(message));
  }

  private finish(one: Delivered, answer: () => void): void {
    this.taken.delete(one);
    this.heldPlaces.delete(placeOf(one.message));
    acknowledge(this.ports, one.message, answer);
    this.progressed();
  }

  /** Called when a message is no longer held. */
  private progressed(): void {
    for (const resolve of this.waiters.values()) resolve();
    if (this.mode === "draining" && this.held === 0) this.halted.resolve();
  }
}
