import type { JsMsg } from "nats";
import { isUnavailable } from "../../broker/failure.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import { AckWait, acknowledge, deadLetter } from "./acks.ts";
import { BatchTimer } from "./batch-timer.ts";
import type { ChannelDefinition } from "./channel-definition.ts";
import {
  type Batch,
  type Delivered,
  type HandlingPorts,
  type ItemPlace,
  mayFailAgain,
  type OpenMessage,
  placeOf,
  view,
} from "./message.ts";
import { OpenMessages } from "./open-messages.ts";
import { Pauses } from "./pauses.ts";
import { type Parts, partsOf } from "./some-not-handled.ts";
import { type ReadItem, reasonOf } from "./split.ts";
import { StreamWaits } from "./stream-waits.ts";

export type BatchBounds = Pick<ChannelDefinition, "durable" | "batch" | "batchesInFlight" | "gather">;

/**
 * The items that a channel holds, until they are handled. An item is a message, or a part of a message that holds many
 * (split.ts). Items of one key are handled in their order, and never in two batches at once; those of one message may be
 * in different batches. A message that is held is not delivered again, however long its items take.
 *
 * States of an item, and the moves between them:
 *
 *     (delivered) → waiting → in work → done
 *     in work → pausing → waiting     unavailable: after a growing delay, without limit
 *     in work → done, others pausing  the handler says which it did not handle (some-not-handled.ts), by keys
 *     in work → in work               an error of a batch with several keys: each key is tried alone
 *     in work → waiting               an error of a batch with one key: all items but the first, which is tried alone
 *     in work → pausing → waiting     an error of one item alone, up to `limits.jetstream.maxAttempts` times
 *     in work → dead letter           after that; what is forged, or cannot be read, becomes one at once
 *
 * States of a message:
 *
 *     open → acked                    once all its items are done or dead letters
 *     open → given back               a dead letter of it could not be written, and its items have ended: after a pause
 *     open → given back               halted: another node gets it, with all its items, also those that are done: the
 *                                     handler recognizes them by their business ids
 *     open → given back               another node is to pull its stream (`handled`), an item of the stream failed, and
 *                                     none of this message is in work: what waits of the stream is not handled here
 *
 * Modes of the channel:
 *
 *     running → draining              `stop`: the held items are handled
 *     draining → halted               an item failed, or `limits.jetstream.drainMs` have passed: all messages are given
 *                                     back, in order, once no item of them is in work
 */
export class Batches {
  private readonly bounds: BatchBounds;
  private readonly ports: HandlingPorts;
  private readonly freed: () => void;
  private readonly waiting = new KeyedQueue<Delivered>();
  private readonly messages = new OpenMessages();
  private readonly pauses = new Pauses();
  private readonly waits = new StreamWaits();
  private readonly running = new Set<Promise<void>>();
  private inFlight = 0;
  private readonly ackWait: AckWait;
  private mode: "running" | "draining" | "halted" = "running";
  private readonly halted = Promise.withResolvers<void>();
  private readonly timer: BatchTimer;

  /** `freed` is called when there is room for more messages. */
  constructor(bounds: BatchBounds, ports: HandlingPorts, freed: () => void) {
    this.bounds = bounds;
    this.ports = ports;
    this.freed = freed;
    this.timer = new BatchTimer(bounds.gather ?? { ms: 0 }, ports.log, () => this.dispatch());
    this.ackWait = new AckWait(ports, this.messages);
  }

  get held(): number {
    return this.messages.openItems;
  }

  /** What takes room from further messages: items, and the bytes of all messages. */
  get occupied(): { readonly items: number; readonly bytes: number } {
    return { items: this.held - this.pauses.besides, bytes: this.messages.bytes };
  }

  /** Takes a message, unless it is held: then it was delivered again, since its ack wait was extended too late. */
  put(message: JsMsg, read: (place: string) => readonly ReadItem[]): void {
    const place = placeOf(message);
    if (this.messages.has(place)) return;
    const items = this.mode === "halted" ? undefined : read(place);
    if (!items?.length) {
      // A marker has nothing to handle.
      acknowledge(this.ports, message, () => (items ? message.ack() : message.nak()));
      return;
    }
    const of = this.messages.add(message, place, items.length);
    this.ackWait.arrived(message);
    const unreadable: [ItemPlace, string][] = [];
    for (const item of items)
      if ("unreadable" in item) unreadable.push([{ of, ...item }, reasonOf(item)]);
      else this.waiting.put({ key: item.key, of, index: item.index, data: item.data, tries: 0, faults: 0 });
    if (unreadable.length > 0) this.track(this.unreadable(unreadable));
    if (unreadable.length < items.length) this.timer.soon();
  }

  private async unreadable(items: readonly [ItemPlace, string][]): Promise<void> {
    for (const [item, why] of items) if (this.mode !== "halted") await this.toDeadLetters(item, why);
    this.timer.soon();
    this.freed();
  }

  /** Resolves once nothing of a stream is held. Once an item of it fails, what waits of the stream is given back. */
  handled(stream: string): Promise<void> {
    const free = this.waits.until(stream, () => !this.messages.holds(stream));
    this.pauses.endOf(stream);
    return free;
  }

  /** Handles the items that are held, then resolves. Messages that cannot be handled are given back to other nodes. */
  async stop(): Promise<void> {
    this.mode = "draining";
    this.dispatch();
    const deadline = setTimeout(() => this.halt(), limits.jetstream.drainMs);
    if (this.held > 0) await this.halted.promise;
    this.halt();
    clearTimeout(deadline);
    await Promise.all(this.running);
    this.giveBack([...this.messages]);
    this.ackWait.stop();
    this.timer.stop();
  }

  /** Gives back the messages of which no item is in work, without changing the order of a key. */
  private halt(): void {
    this.mode = "halted";
    this.giveBack(this.messages.givable(this.waiting));
    this.waits.progressed();
    this.halted.resolve();
  }

  private giveBack(messages: readonly OpenMessage[]): void {
    const back = new Set(messages);
    this.waiting.remove(({ of }) => back.has(of));
    for (const one of back) this.messages.giveBack(one, this.ports);
    this.progressed();
    if (this.mode === "running") this.freed();
  }

  private track(work: Promise<void>): void {
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
  }

  private dispatch(): void {
    const { someFail, isFailing } = this.waits;
    if (someFail) this.giveBack(this.messages.givable(this.waiting).filter(isFailing));
    const mayTake = someFail ? ({ of }: Delivered) => !isFailing(of) : undefined;
    const { batch: most, batchesInFlight } = this.bounds;
    while (this.mode !== "halted" && this.waiting.hasReady && this.inFlight < batchesInFlight) {
      const { size } = this.waiting;
      if (!this.timer.mayStart(size, this.mode === "draining" || size >= most)) return;
      const batch = this.waiting.take(most, mayTake);
      if (batch.size === 0) return;
      this.inFlight++;
      this.track(
        this.attempt(batch).finally(() => {
          this.inFlight--;
          this.timer.soon();
          this.freed();
        }),
      );
    }
  }

  /**
   * Never rejects: afterwards every item of the batch is done, a dead letter, pausing or waiting; once halted, some may
   * be in work still, and `stop` gives their messages back.
   */
  private async attempt(batch: Batch): Promise<void> {
    const views = [...batch.values()].flat().map(view);
    try {
      await this.ports.handle(views);
      this.allEnded(batch);
    } catch (error) {
      const parts = partsOf(batch, views, error);
      this.allEnded(parts.handled);
      for (const [why, own] of parts.failed) await this.notHandled(own, why, parts);
    }
  }

  private allEnded(batch: Batch): void {
    for (const items of batch.values()) for (const one of items) this.ended(one);
    for (const key of batch.keys()) this.waiting.done(key);
  }

  private async notHandled(batch: Batch, error: unknown, { handled, isPartial }: Parts): Promise<void> {
    const about = { channel: this.bounds.durable, keys: batch.size, err: error };
    if (isUnavailable(error)) {
      this.ports.log.warn(about, "a dependency is not reachable: what needs it is tried again");
      for (const [key, own] of batch) this.tryLater(key, own, isPartial);
    } else if (batch.size > 1) {
      this.ports.log.warn(about, "a batch could not be handled: it is tried again key by key");
      for (const one of batch) if (this.mode !== "halted") await this.attempt(new Map([one]));
    } else if (handled.size > 0) await this.attempt(batch);
    else await this.failed(batch, error);
  }

  /** After an error of a batch with one key: its first item is tried alone, and the others follow in order. */
  private async failed(batch: Batch, error: unknown): Promise<void> {
    const [[key, [first, ...rest]]] = batch as unknown as [[string, [Delivered, ...Delivered[]]]];
    if (rest.length > 0) {
      this.waiting.returnRest(key, rest);
      await this.attempt(new Map([[key, [first]]]));
    } else if (mayFailAgain(this.ports, this.bounds.durable, first, error)) this.tryLater(key, [first]);
    else {
      await this.toDeadLetters(first, messageOf(error));
      this.waiting.done(key);
    }
  }

  /** The items of the key pause, each time for longer. After the pause they are the first of their key. */
  private tryLater(key: string, items: Delivered[], isPartial = false): void {
    const isLeaving = () => items.some(({ of }) => this.waits.has(of));
    if (this.mode !== "running") this.halt();
    else
      this.pauses.start(items, { isPartial, isShort: isLeaving() }, () => {
        if (this.mode === "halted") return;
        this.waiting.putBack(key, items);
        for (const one of items) this.waits.failed(one);
        // Where many fail, what can be given back is looked for once.
        if (this.waits.someFail) this.timer.soon();
        else this.dispatch();
      });
  }

  /** Where the copy cannot be written, the whole message is given back, once none of its items is in work. */
  private async toDeadLetters(item: ItemPlace, reason: string): Promise<void> {
    const isCopied = await deadLetter(this.ports, this.bounds.durable, item, reason);
    if (!isCopied) item.of.againAfterMs = limits.jetstream.retryMaxDelayMs;
    this.ended(item);
  }

  /** An item is done or a dead letter. Its message is acked, or given back, once it was the last one. */
  private ended(item: ItemPlace): void {
    const { message, againAfterMs } = item.of;
    if (this.messages.itemEnded(item.of))
      acknowledge(this.ports, message, () => (againAfterMs === undefined ? message.ack() : message.nak(againAfterMs)));
    this.progressed();
  }

  /** Called when an item or a message is no longer held. */
  private progressed(): void {
    this.waits.progressed();
    if (this.mode === "draining" && this.held === 0) this.halted.resolve();
  }
}
