import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";

/** How a message that holds many items is taken apart. Each item is then handled like a message of its own. */
export interface MessageSplit {
  /** The items of a message's JSON, none of them checked. @throws Error where it has none: it is one dead letter then. */
  items(data: unknown): readonly unknown[];
  /** A message, as JSON, that has this item alone: its dead letter, which `items` reads again after a replay. */
  alone(item: unknown): unknown;
  /** The least bytes of an item in a message. The bytes that a pull may bring are bounded by it. */
  readonly leastBytes: number;
}

/** What of a channel's definition reads a message. */
export interface Reading {
  readonly split?: MessageSplit;
  readonly parse?: (data: unknown) => unknown;
  readonly key?: (data: never) => string;
}

/** An item of a message, or a whole message: then `index` is `undefined`. */
export type ReadItem = { readonly index: number | undefined } & (
  | { readonly key: string; readonly data: unknown }
  | { readonly unreadable: string }
);

const decoder = new TextDecoder();
const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes));

/** More items than a message can have: each would be a dead letter. */
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
 * be read is marked, item by item. `place` is the key of a message of a channel without keys. Never throws.
 */
export function readItems(bytes: Uint8Array, reading: Reading, place: string): ReadItem[] {
  const { split, parse, key } = reading;
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
    const data = jsonOf(bytes);
    if (!split) return [readOne(data, undefined)];
    const items = itemsOf(split, data);
    return items.map((item, index) => readOne(item, items.length === 1 ? undefined : index));
  } catch (error) {
    return [{ index: undefined, unreadable: messageOf(error) }];
  }
}

/** An item as a message of its own; the message as it is where it is not split. */
export function messageOfItem(
  bytes: Uint8Array,
  split: MessageSplit | undefined,
  index: number | undefined,
): Uint8Array {
  if (!split || index === undefined) return bytes;
  return new TextEncoder().encode(JSON.stringify(split.alone(split.items(jsonOf(bytes))[index])));
}

/** An item of a message as `parse` returns it. @throws what `split` and `parse` throw. */
export function dataOfItem(bytes: Uint8Array, { split, parse }: Reading, index: number | undefined): unknown {
  const data = jsonOf(bytes);
  const item = split ? split.items(data)[index ?? 0] : data;
  return parse ? parse(item) : item;
}
