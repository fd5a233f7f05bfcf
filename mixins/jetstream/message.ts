import type { JsMsg } from "nats";
import type { Log } from "../../broker/log.ts";
import { type Carried, readCarried } from "../../broker/tracing/trace-context.ts";
import { limits } from "../../config/limits.ts";
import type { SignatureFault } from "./signatures.ts";
import { Unreadable } from "./unreadable.ts";

/** A message, or an item of one that holds many, as the handler gets it. */
export interface ChannelMessage<T = unknown> {
  readonly data: T;
  readonly subject: string;
  /** The message's sequence in its stream, the same in every delivery. */
  readonly sequence: number;
  /** When JetStream stored the message, ms since 1970, floored: the same in every delivery, by the server's clock. */
  readonly storedAtMs: number;
  readonly requestId: string | undefined;
  /** The traces of what is in the message; empty where nothing is traced. */
  readonly traces: readonly Carried[];
}

/** The header of a message with a trace of something in it; there may be several. */
export const tracesHeader = "Traces";

/** The actions of a channel on messages. */
export interface HandlingPorts {
  handle(messages: ChannelMessage[]): Promise<void>;
  /**
   * Copies an item of a message, or the whole message where `index` is `undefined`. Resolves once the copy is confirmed
   * in the dead letters, and its service knows of it. `forged`: marks the copy, which cannot be replayed.
   */
  publishDead(
    channel: string,
    message: JsMsg,
    index: number | undefined,
    reason: string,
    forged?: SignatureFault,
  ): Promise<void>;
  log: Log;
}

/** A message that a channel holds: items of it are open, i.e. neither handled nor in the dead letters. */
export interface OpenMessage {
  readonly message: JsMsg;
  /** See `placeOf`. */
  readonly place: string;
  open: number;
  /** Set where the dead letter of an item could not be written: the message is given back and comes again after this. */
  againAfterMs?: number;
}

/** The place of an item: its message, and its index in it. */
export interface ItemPlace {
  readonly of: OpenMessage;
  /** Its place in its message; `undefined` where it is the whole message. */
  readonly index: number | undefined;
  /** Of a message that was refused as forged: why. */
  readonly forged?: SignatureFault;
}

/** An item that a channel holds: a message, or a part of one. */
export interface Delivered extends ItemPlace {
  readonly key: string;
  readonly data: unknown;
  /** Pauses so far; they determine the length of the next one. */
  tries: number;
  /** Errors of this item when handled alone; too many make it a dead letter. */
  faults: number;
}

/** The place as log lines name it. */
export function placeForLog({ of: { message }, index }: ItemPlace): { sequence: number; item?: number } {
  return { sequence: message.seq, ...(index === undefined ? {} : { item: index }) };
}

/** When the server stored a message, ms since 1970, floored. */
export function storedAtMs({ info }: Pick<JsMsg, "info">): number {
  return Math.floor(info.timestampNanos / 1e6);
}

/** A class, since there is one for each item: its getters are made once. */
class ItemView implements ChannelMessage {
  readonly data: unknown;
  private readonly message: JsMsg;

  constructor(data: unknown, message: JsMsg) {
    this.data = data;
    this.message = message;
  }

  get subject(): string {
    return this.message.subject;
  }

  get sequence(): number {
    return this.message.seq;
  }

  get storedAtMs(): number {
    return storedAtMs(this.message);
  }

  /** Headers are parsed on access: for most messages nobody reads them. */
  get requestId(): string | undefined {
    return this.message.headers?.get("Request-Id") || undefined;
  }

  get traces(): readonly Carried[] {
    const texts = this.message.headers?.values(tracesHeader) ?? [];
    return texts.slice(0, limits.traces.carried).flatMap((text) => readCarried(text) ?? []);
  }
}

/** What the handler gets of it. */
export function view({ of, data }: Delivered): ChannelMessage {
  return new ItemView(data, of.message);
}

/** Items that are handled together, by key. */
export type Batch = Map<string, Delivered[]>;

/** The pause before the next try: it doubles with each try, within bounds. */
export function retryDelayMs(tries: number): number {
  const { retryFirstDelayMs, retryMaxDelayMs } = limits.jetstream;
  return Math.min(retryFirstDelayMs * 2 ** Math.min(tries, 10), retryMaxDelayMs);
}

/**
 * Identifies a message in the queue, the same in every delivery. It contains the consumer's name, which differs between
 * a stream and one made in its place (streams.ts).
 */
export function placeOf({ info, seq }: JsMsg): string {
  return `${info.stream}:${info.consumer}:${seq}`;
}

/** Counts an error of an item that was handled alone; `false`: it becomes a dead letter. An outage is not counted. */
export function mayFailAgain({ log }: Pick<HandlingPorts, "log">, channel: string, one: Delivered, error: unknown) {
  one.faults++;
  if (error instanceof Unreadable || one.faults >= limits.jetstream.maxAttempts) return false;
  const about = { channel, ...placeForLog(one), faults: one.faults, err: error };
  log.error(about, "a message could not be handled: it is tried again");
  return true;
}
