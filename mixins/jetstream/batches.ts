import type { JsMsg } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { acknowledge, keepHeld } from "./acks.ts";
import { bury } from "./bury.ts";
import { alone, type Delivered, type Hand, type HandlingPorts, placeOf, retryDelayMs, view } from "./message.ts";
import { Pace } from "./pace.ts";
import { type Slot, Slots } from "./slots.ts";

export interface BatchBounds {
  /** The channel's name, for logs and dead letters. */
  readonly durable: string;
  readonly batch: number;
  readonly batchesInFlight: number;
  /** How long after the start of a batch the next one gathers, unless it is full before; 0 where left out. */
  readonly gatherMs?: number;
}

const noSlot: Slot = { free: () => {} };

/**
 * Messages on their way through the handler: gathered into batches, tried again, put aside. What is held is kept from
 * being delivered again, however long its handling takes.
 */
export class Batches {
  private readonly bounds: BatchBounds;
  private readonly ports: HandlingPorts;
  /** There is room again. */
  private readonly freed: () => void;
  private readonly boxes = new KeyedQueue<Delivered>();
  private readonly running = new Set<Promise<void>>();
  /** Messages handed out or waiting for another try. */
  private readonly inHand = new Set<Delivered>();
  /** Their places in the queue. */
  private readonly heldPlaces = new Set<string>();
  /** Who waits for a stream's messages to be handled. */
  private readonly waiting = new Map<string, () => void>();
  private readonly keepAlive: NodeJS.Timeout;
  private readonly slots: Slots;
  private draining = false;
  private stopping = false;
  private readonly halted = Promise.withResolvers<void>();
  private readonly pace: Pace;

  constructor(bounds: BatchBounds, ports: HandlingPorts, freed: () => void) {
    this.bounds = bounds;
    this.ports = ports;
    this.freed = freed;
    this.pace = new Pace(bounds.gatherMs ?? 0, ports.log, () => this.dispatch());
    this.slots = new Slots(bounds.batchesInFlight, () => this.pace.soon());
    this.keepAlive = keepHeld(ports, () => [...this.inHand, ...this.boxes]);
  }

  /** Messages held, waiting and in hand. */
  get held(): number {
    return this.boxes.size + this.inHand.size;
  }

  /** Takes a message unless it is here already: then this process was too busy to say so in time. */
  put(message: JsMsg, read: () => { key: string; data: unknown }): void {
    const place = placeOf(message);
    if (this.heldPlaces.has(place)) return;
    if (this.stopping) {
      acknowledge(this.ports, message, () => message.nak());
      return;
    }
    this.heldPlaces.add(place);
    try {
      this.boxes.put({ ...read(), message, tries: 0, faults: 0 });
      this.pace.soon();
    } catch (error) {
      this.track(this.putAside(message, `unreadable: ${messageOf(error)}`));
    }
  }

  /** Resolves once nothing of a stream is held. */
  async handled(stream: string): Promise<void> {
    while (this.holds(stream))
      await new Promise<void>((resolve) => {
        this.waiting.set(stream, resolve);
      });
    this.waiting.delete(stream);
  }

  private holds(stream: string): boolean {
    return [...this.inHand, ...this.boxes].some(({ message }) => message.info.stream === stream);
  }

  /**
   * Handles what is held and then resolves; once something of it fails, or the time is over, the rest is given back to
   * the other nodes.
   */
  async stop(): Promise<void> {
    this.draining = true;
    this.dispatch();
    const deadline = setTimeout(() => this.halt(), limits.jetstream.drainMs);
    if (this.held > 0) await this.halted.promise;
    this.halt();
    clearTimeout(deadline);
    await Promise.all(this.running);
    this.giveBack([...this.inHand, ...this.boxes.remove(() => true)]);
    clearInterval(this.keepAlive);
    this.pace.stop();
  }

  /**
   * Gives back what waits, but not behind messages of its key that are in hand: what is given back comes again in the
   * order it was given, so these go first where they cannot be handled either.
   */
  private halt(): void {
    this.stopping = true;
    this.giveBack(this.boxes.remove(({ key }) => !this.boxes.isBusy(key)));
    for (const resolve of this.waiting.values()) resolve();
    this.halted.resolve();
  }

  private giveBack(letters: readonly Delivered[]): void {
    for (const letter of letters) this.finish(letter, () => letter.message.nak());
  }

  private track(work: Promise<void>): void {
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
  }

  private dispatch(): void {
    while (!this.stopping && this.boxes.hasReady && this.slots.free) {
      if (!this.pace.mayStart(this.draining || this.boxes.size >= this.bounds.batch)) return;
      const hand = this.boxes.take(this.bounds.batch);
      for (const letters of hand.values()) for (const letter of letters) this.inHand.add(letter);
      const slot = this.slots.take();
      const work = this.attempt(hand, slot).finally(() => {
        slot.free();
        this.freed();
      });
      this.track(work);
    }
  }

  /** Never rejects: every message of the hand is acked, buried, or waits for another try. */
  private async attempt(hand: Hand, slot: Slot): Promise<void> {
    const letters = [...hand.values()].flat();
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      for (const key of hand.keys()) this.boxes.done(key);
      slot.free();
    };
    try {
      await this.ports.handle(letters.map(view), release);
      for (const letter of letters) this.finish(letter, () => letter.message.ack());
      if (!released) for (const key of hand.keys()) this.boxes.done(key);
    } catch (error) {
      const about = { channel: this.bounds.durable, messages: letters.length, err: error };
      if (isUnavailable(error)) {
        this.ports.log.warn(about, "a dependency is not reachable: the batch is tried again");
        if (released) this.repeatLater(letters);
        else for (const [key, own] of hand) this.tryLater(key, own);
      } else if (released) await this.failedAfterRelease(letters, error);
      else if (hand.size > 1) {
        // One of them is bad; alone, the others pass.
        this.ports.log.warn(about, "a batch could not be handled: tried key by key");
        for (const [key, own] of hand) await this.attempt(new Map([[key, own]]), slot);
      } else await this.failed(hand, error, slot);
    }
  }

  /** A key's batch met a fault: its first message is tried alone, and the others follow it in order. */
  private async failed(hand: Hand, error: unknown, slot: Slot): Promise<void> {
    const [[key, letters]] = hand as unknown as [[string, Delivered[]]];
    const [first, ...rest] = letters as [Delivered, ...Delivered[]];
    if (rest.length > 0) {
      for (const letter of rest) this.inHand.delete(letter);
      this.boxes.returnRest(key, rest);
      await this.attempt(new Map([[key, [first]]]), slot);
    } else if (this.mayFailAgain(first, error)) this.tryLater(key, [first]);
    else {
      await this.putAside(first.message, messageOf(error));
      this.inHand.delete(first);
      this.boxes.done(key);
      this.progressed();
    }
  }

  /** The keys have gone on, so each message is repeated by itself: alone, the good ones pass. */
  private async failedAfterRelease(letters: readonly Delivered[], error: unknown): Promise<void> {
    const [first, ...rest] = letters as [Delivered, ...Delivered[]];
    if (rest.length > 0) {
      const about = { channel: this.bounds.durable, messages: letters.length, err: error };
      this.ports.log.warn(about, "a batch could not be handled to its end: its messages are repeated one by one");
      for (const letter of letters) await this.attempt(alone([letter]), noSlot);
    } else if (this.mayFailAgain(first, error)) this.repeatLater([first]);
    else {
      await this.putAside(first.message, messageOf(error));
      this.inHand.delete(first);
      this.progressed();
    }
  }

  /** Counts a fault of a message by itself; outages are not its fault and are not counted. */
  private mayFailAgain(letter: Delivered, error: unknown): boolean {
    letter.faults++;
    if (letter.faults >= limits.jetstream.maxAttempts) return false;
    const about = { channel: this.bounds.durable, sequence: letter.message.seq, faults: letter.faults, err: error };
    this.ports.log.error(about, "a message could not be handled: it is tried again");
    return true;
  }

  /** The key's messages stay in hand and are first in line again after a pause that grows with each try. */
  private tryLater(key: string, letters: Delivered[]): void {
    this.afterPause(letters, () => {
      for (const letter of letters) this.inHand.delete(letter);
      this.boxes.putBack(key, letters);
      this.dispatch();
    });
  }

  /** What was released is repeated beside its keys, which have gone on. */
  private repeatLater(letters: readonly Delivered[]): void {
    this.afterPause(letters, () => {
      this.track(this.attempt(alone(letters), noSlot).finally(this.freed));
    });
  }

  private afterPause(letters: readonly Delivered[], work: () => void): void {
    if (this.draining) {
      this.halt();
      return;
    }
    const delayMs = retryDelayMs(letters[0]?.tries ?? 0);
    for (const letter of letters) letter.tries++;
    const again = () => {
      if (!this.stopping) work();
    };
    setTimeout(again, delayMs).unref();
  }

  private async putAside(message: JsMsg, reason: string): Promise<void> {
    await bury(this.ports, this.bounds.durable, message, reason);
    this.heldPlaces.delete(placeOf(message));
  }

  private finish(letter: Delivered, settle: () => void): void {
    this.inHand.delete(letter);
    this.heldPlaces.delete(placeOf(letter.message));
    acknowledge(this.ports, letter.message, settle);
    this.progressed();
  }

  /** Something is no longer held. */
  private progressed(): void {
    for (const resolve of this.waiting.values()) resolve();
    if (this.draining && this.held === 0) this.halted.resolve();
  }
}
