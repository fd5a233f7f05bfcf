import { inflateRawSync } from "node:zlib";
import { bizCodes, frameCodes } from "../../services/im-frames.ts";
import type { Expected, Gifts } from "./outcomes.ts";

/** Of version 1. The orders of an entry are alike. */
interface Entry {
  orderIds: readonly string[];
  senderId: string;
  count: number;
}

/** Of version 2: sender, gift, then a number of pieces and the tags of the orders of so many pieces each, and so on. */
type Item = readonly [senderId: string, giftId: number, ...rest: unknown[]];

interface GiftFrame {
  code: number;
  body: { bizCode?: number; data?: { gifts?: (Entry | Item)[] } };
}

/** The last characters of an order's id, which are its tag in version 2 (docs/im.md). */
const tagChars = 12;

/** An order as both versions name it: by its sender and its tag. */
interface Order {
  key: string;
  pieces: number;
}

/** The version of the protocol that a viewer asks for. Frames of version 2 may be compressed: those are binary. */
export type Version = 1 | 2;

/** Of the frame of a room: to tell equal bytes apart costs less than to read them again. */
interface LastFrame {
  bytes: Buffer;
  orders: readonly Order[];
}

/** What one viewer saw: distinct orders, and the sum of their pieces. */
export interface Seen extends Gifts {
  roomId: number;
  /** Orders that came again: in a second entry, or twice in one. */
  repeated: number;
}

interface Viewer {
  roomId: number;
  version: Version;
  orders: Set<string>;
  pieces: number;
  repeated: number;
}

/** What the viewers of one process saw of the gifts. */
export class SeenGifts {
  private readonly viewers: Viewer[] = [];
  /**
   * The last frame of each room in each version: its members get the same bytes one after the other, and it is read once
   * for them.
   */
  private readonly lastFrames = { 1: new Map<number, LastFrame>(), 2: new Map<number, LastFrame>() };
  /** Orders seen by all viewers together. */
  orders = 0;
  /** When the last order was seen for the first time, Unix ms. */
  lastAt = 0;

  /** Returns the viewer's number. */
  add(roomId: number, version: Version): number {
    return this.viewers.push({ roomId, version, orders: new Set(), pieces: 0, repeated: 0 }) - 1;
  }

  /** A message that a viewer got. @throws Error where it cannot be read */
  take(number: number, { bytes, isBinary }: { bytes: Buffer; isBinary: boolean }, at: number): void {
    const viewer = this.viewers[number] as Viewer;
    for (const { key, pieces } of this.ordersOf(viewer, bytes, isBinary)) {
      if (viewer.orders.has(key)) {
        viewer.repeated++;
        continue;
      }
      viewer.orders.add(key);
      viewer.pieces += pieces;
      this.orders++;
      this.lastAt = at;
    }
  }

  report(): Seen[] {
    return this.viewers.map(({ roomId, orders, pieces, repeated }) => {
      return { roomId, gifts: orders.size, pieces, repeated };
    });
  }

  private ordersOf({ roomId, version }: Viewer, bytes: Buffer, isBinary: boolean): readonly Order[] {
    const last = this.lastFrames[version].get(roomId);
    if (last?.bytes.equals(bytes)) return last.orders;
    const text = isBinary ? inflateRawSync(bytes) : bytes;
    const { code, body } = JSON.parse(text.toString()) as GiftFrame;
    const isGift = code === frameCodes.business && body.bizCode === bizCodes.gift;
    const gifts = (isGift && body.data?.gifts) || [];
    const orders = gifts.flatMap((gift) => (isItem(gift) ? ofItem(gift) : ofEntry(gift)));
    this.lastFrames[version].set(roomId, { bytes: Buffer.from(bytes), orders });
    return orders;
  }
}

function isItem(gift: Entry | Item): gift is Item {
  return Array.isArray(gift);
}

function ofEntry({ senderId, orderIds, count }: Entry): Order[] {
  return orderIds.map((id) => ({ key: `${senderId} ${id.slice(-tagChars)}`, pieces: count / orderIds.length }));
}

function ofItem([senderId, _giftId, ...rest]: Item): Order[] {
  let pieces = 0;
  const orders: Order[] = [];
  for (const part of rest)
    if (typeof part === "number") pieces = part;
    else if (typeof part === "string") orders.push({ key: `${senderId} ${part}`, pieces });
  return orders;
}

/** A sentence for each viewer who did not see exactly the gifts of her room. */
export function viewersProblems(viewers: readonly Seen[], expected: ReadonlyMap<number, Expected>): string[] {
  return viewers.flatMap(({ roomId, gifts, pieces, repeated }, i) => {
    const { accepted, unknown } = expected.get(roomId) as Expected;
    const within = (seen: number, least: number, more: number) => seen >= least && seen <= least + more;
    const right =
      within(gifts, accepted.gifts, unknown.gifts) && within(pieces, accepted.pieces, unknown.pieces) && repeated === 0;
    const saw = `saw ${gifts} gifts with ${pieces} pieces, ${repeated} again`;
    return right ? [] : [`viewer ${i} of room ${roomId} ${saw}: sent were ${accepted.gifts} with ${accepted.pieces}`];
  });
}
