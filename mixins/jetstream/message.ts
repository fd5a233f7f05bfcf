import type { JsMsg } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";

/** A message as a handler sees it. */
export interface ChannelMessage<T = unknown> {
  readonly data: T;
  readonly subject: string;
  /** The place in its stream, the same in every delivery. */
  readonly sequence: number;
  readonly requestId: string | undefined;
}

/** What a channel does with messages. */
export interface HandlingPorts {
  handle(messages: ChannelMessage[]): Promise<void>;
  /** Resolves once the copy is safe in the dead letters. */
  publishDead(channel: string, message: JsMsg, reason: string): Promise<void>;
  log: Log;
}

/** A message that a channel holds. */
export interface Delivered {
  readonly key: string;
  readonly message: JsMsg;
  readonly data: unknown;
  /** Pauses so far, for the length of the next one. */
  tries: number;
  /** Faults of this message by itself; too many bring it to the dead letters. */
  faults: number;
}

/** What a handler sees of it. */
export function view({ message, data }: Delivered): ChannelMessage {
  return {
    data,
    subject: message.subject,
    sequence: message.seq,
    // Headers are read when somebody asks: of most messages of a batch nobody does.
    get requestId() {
      return message.headers?.get("Request-Id") || undefined;
    },
  };
}

/** Messages that are handled together, by key. */
export type Batch = Map<string, Delivered[]>;

/** How long a message that was tried so often waits for the next try: twice as long each time, within bounds. */
export function retryDelayMs(tries: number): number {
  const { retryFirstDelayMs, retryMaxDelayMs } = limits.jetstream;
  return Math.min(retryFirstDelayMs * 2 ** Math.min(tries, 10), retryMaxDelayMs);
}

/**
 * Where a message stands in the queue, the same in every delivery and for no other message: the consumer's name tells a
 * stream from one that was made in its place (streams.ts).
 */
export function placeOf({ info, seq }: JsMsg): string {
  return `${info.stream}:${info.consumer}:${seq}`;
}
