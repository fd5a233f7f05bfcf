import type { JsMsg } from "nats";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { storedAtMs } from "./message.ts";
import type { SignatureFault } from "./signatures.ts";

/** How a message that holds many items is split. Each item is then handled like a message of its own. */
export interface MessageSplit {
  /** The items of a message's JSON, none of them checked. @throws Error where it has none: it is one dead letter then. */
  items(data: unknown): readonly unknown[];
  /**
   * A message, for JSON, that has this item alone: its dead letter, which `items` reads again after a replay. Without a
   * signature. `storedAtMs`: when the item's message was stored, which a replay would lose.
   */
  alone(item: unknown, storedAtMs: number): unknown;
  /** Whether a message has no items on purpose: it is acked at once, and nothing of it is handled. */
  isMarker?(data: unknown): boolean;
  /** The least bytes of an item. A message with more items than would fit is one dead letter. */
  readonly leastBytes: number;
}

/** The parts of a channel's definition that read a message. */
export interface Reading {
  readonly raw?: true;
  readonly split?: MessageSplit;
  readonly parse?: (data: unknown) => unknown;
  readonly key?: (data: never) => string;
}

/**
 * An item of a message, or a whole message: then `index` is `undefined`. `unreadable`: why. `forged`: its signature is
 * missing or wrong, and nothing of it was read.
 */
export type ReadItem = { readonly index: number | undefined } & (
  | { readonly key: string; readonly data: unknown }
  | { readonly unreadable: string; readonly forged?: SignatureFault }
);

const decoder = new TextDecoder();
const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes));

/** The most items that fit into a message. */
function mostItems({ leastBytes }: MessageSplit): number {
  return Math.floor(limits.bus.maxPayloadBytes / leastBytes);
}

function itemsOf(split: MessageSplit, data: unknown): readonly unknown[] {
  const items = split.items(data);
  if (items.length === 0) throw new Error("it has no items");
  if (items.length <= mostItems(split)) return items;
  throw new Error(`it has ${items.length} items, more than fit into a message`);
}

/**
 * The items of a message, in their order; a message that is not split, or has one item, is an item itself. What cannot
 * be read is marked, item by item. A marker has no items. `place` is the key of a message of a channel without keys.
 * Never throws.
 */
export function readItems(bytes: Uint8Array, reading: Reading, place: string): ReadItem[] {
  const { split, parse, key, raw: isRaw } = reading;
  const readOne = (raw: unknown, index: number | undefined): ReadItem => {
    try {
      const data = parse ? parse(raw) : raw;
      const own = index === undefined ? place : `${place}:${index}`;
      return { index, data, key: key ? key(data as never) : own };
    } catch (error) {
      return { index, unreadable: messageOf(error) };
    }
  };
  try {
    const data = isRaw ? bytes : jsonOf(bytes);
    if (!split) return [readOne(data, undefined)];
    if (split.isMarker?.(data)) return [];
    const items = itemsOf(split, data);
    return items.map((item, index) => readOne(item, items.length === 1 ? undefined : index));
  } catch (error) {
    return [{ index: undefined, unreadable: messageOf(error) }];
  }
}

/** Why an item becomes a dead letter without being handled. */
export function reasonOf({ unreadable, forged }: Extract<ReadItem, { unreadable: string }>): string {
  return forged ? unreadable : `unreadable: ${unreadable}`;
}

/** The part of a received message that is read again for its dead letters. */
interface Source {
  readonly data: Uint8Array;
}

/** The parsed JSON of messages with dead letters: each of their items may be one, and parsing is done once. */
const readAgain = new WeakMap<Source, unknown>();

function dataAgain(message: Source): unknown {
  if (!readAgain.has(message)) readAgain.set(message, jsonOf(message.data));
  return readAgain.get(message);
}

/**
 * An item as a message of its own, signed by `sign`; the message as it is where it is not split, or cannot be read as a
 * message of items.
 */
export function messageOfItem(
  message: Source & Pick<JsMsg, "info">,
  split: MessageSplit | undefined,
  index: number | undefined,
  sign: (text: string) => string = (text) => text,
): Uint8Array {
  if (!split) return message.data;
  const items = index === undefined ? onlyItem(message, split) : split.items(dataAgain(message));
  if (items === undefined) return message.data;
  return new TextEncoder().encode(sign(JSON.stringify(split.alone(items[index ?? 0], storedAtMs(message)))));
}

/** The item of a message that has just one. */
function onlyItem(message: Source, split: MessageSplit): readonly unknown[] | undefined {
  try {
    const items = split.items(dataAgain(message));
    return items.length === 1 ? items : undefined;
  } catch {
    return undefined;
  }
}

/** An item of a message as `parse` returns it. @throws what `split` and `parse` throw. */
export function dataOfItem(message: Source, { split, parse, raw }: Reading, index: number | undefined): unknown {
  const data = raw ? message.data : dataAgain(message);
  const item = split ? split.items(data)[index ?? 0] : data;
  return parse ? parse(item) : item;
}
