import type { JsMsg } from "nats";
import type { KeyedQueue } from "../keyed-queue.ts";
import { acknowledge } from "./acks.ts";
import type { Delivered, HandlingPorts, OpenMessage } from "./message.ts";

/** The messages that a channel holds, in the order of their delivery. A message is acked once no item of it is open. */
export class OpenMessages {
  private readonly byPlace = new Map<string, OpenMessage>();
  private items = 0;
  private size = 0;

  /** The open items of all messages. */
  get openItems(): number {
    return this.items;
  }

  /** The bytes of all messages, with those of items that have ended. */
  get bytes(): number {
    return this.size;
  }

  has(place: string): boolean {
    return this.byPlace.has(place);
  }

  add(message: JsMsg, place: string, items: number): OpenMessage {
    const one: OpenMessage = { message, place, open: items };
    this.byPlace.set(place, one);
    this.items += items;
    this.size += message.data.length;
    return one;
  }

  /** An item is handled or a dead letter. Returns whether it was the last one: then the message is no longer held. */
  itemEnded(one: OpenMessage): boolean {
    one.open--;
    this.items--;
    if (one.open > 0) return false;
    this.remove(one);
    return true;
  }

  /** The message is given back, with its open items. */
  remove({ place, open, message }: OpenMessage): void {
    if (!this.byPlace.delete(place)) return;
    this.items -= open;
    this.size -= message.data.length;
  }

  /** The server delivers it again, in the order of these calls. */
  giveBack(one: OpenMessage, ports: Pick<HandlingPorts, "log">): void {
    this.remove(one);
    acknowledge(ports, one.message, () => one.message.nak());
  }

  /** Whether a message of a stream is held, by the server's name. */
  holds(stream: string): boolean {
    for (const { message } of this.byPlace.values()) if (message.info.stream === stream) return true;
    return false;
  }

  [Symbol.iterator](): Iterator<OpenMessage> {
    return this.byPlace.values();
  }

  /**
   * The messages that can be given back now, in their order: all their open items wait, and none of their keys is busy,
   * or has an item in an earlier message that is not given back. Messages are delivered again in the order in which they
   * are given back, so a message must not be given back before an earlier one with an item of the same key.
   */
  givable(waiting: Iterable<Delivered> & Pick<KeyedQueue<Delivered>, "isBusy">): OpenMessage[] {
    const keys = new Map<OpenMessage, string[]>();
    for (const { of, key } of waiting) {
      const own = keys.get(of);
      if (own) own.push(key);
      else keys.set(of, [key]);
    }
    const staying = new Set<string>();
    return [...this].filter((one) => {
      const own = keys.get(one) ?? [];
      const givable = own.length === one.open && !own.some((key) => waiting.isBusy(key) || staying.has(key));
      if (!givable) for (const key of own) staying.add(key);
      return givable;
    });
  }
}
