import type { JsMsg } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";

/** A message as the handler gets it. */
export interface ChannelMessage<T = unknown> {
  readonly data: T;
  readonly subject: string;
  /** The sequence in its stream, the same in every delivery. */
  readonly sequence: number;
  readonly requestId: string | undefined;
}

/** The actions of a channel on messages. */
export interface HandlingPorts {
  handle(messages: ChannelMessage[]): Promise<void>;
  /** Resolves once the copy is confirmed in the dead letters. */
  publishDead(channel: string, message: JsMsg, reason: string): Promise<void>;
  log: Log;
}

/** A message that a channel holds. */
export interface Delivered {
  readonly key: string;
  readonly message: JsMsg;
  readonly data: unknown;
  /** Pauses so far; they determine the length of the next one. */
  tries: number;
  /** Errors of this message when handled alone; too many make it a dead letter. */
  faults: number;
}

/** What the handler gets of it. */
export function view({ message, data }: Delivered): ChannelMessage {
  return {
    data,
    subject: message.subject,
    sequence: message.seq,
    // Headers are parsed on access: for most messages nobody reads them.
    get requestId() {
      return message.headers?.get("Request-Id") || undefined;
    },
  };
}

/** Messages that are handled together, by key. */
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
