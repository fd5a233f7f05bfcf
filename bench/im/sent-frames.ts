import { sentAt } from "./offer.ts";
import type { ShownGifts } from "./wires.ts";

/** A frame with gifts, parsed once for all viewers. */
export interface SentFrame {
  data: Buffer;
  /** The counts of its orders. */
  sum: number;
  /** When its orders were sent, ms. */
  sentAt: readonly number[];
  /** The viewers that have received it, one bit for each. */
  readonly shownTo: Uint32Array;
}

/** Bytes that tell most frames apart: their ids are at the beginning. */
const keyBytes = 80;

/**
 * The frames that the viewers of one process have received. Most frames arrive once for every viewer. They are recognized
 * by their bytes and parsed once, so that the load generator costs little.
 */
export class SentFrames {
  private readonly byKey = new Map<string, SentFrame[]>();
  private readonly orders = new Set<string>();
  private readonly words: number;
  private readonly read: (data: Buffer, isBinary: boolean) => ShownGifts[] | undefined;
  /** Tags of orders that arrived in more than one frame. */
  readonly repeated: string[] = [];

  constructor(viewers: number, read: (data: Buffer, isBinary: boolean) => ShownGifts[] | undefined) {
    this.words = Math.ceil(viewers / 32);
    this.read = read;
  }

  /** The frame of this message; `undefined` where the viewer has received it before, or where it has no gifts. */
  shown(viewer: number, data: Buffer, isBinary = false): SentFrame | undefined {
    const key = data.toString("latin1", 0, keyBytes);
    const known = this.byKey.get(key);
    const frame = known?.find((one) => one.data.equals(data)) ?? this.parse(key, data, isBinary);
    if (!frame) return undefined;
    const at = viewer >>> 5;
    const bit = 1 << (viewer & 31);
    const before = frame.shownTo[at] as number;
    if (before & bit) return undefined;
    frame.shownTo[at] = before | bit;
    return frame;
  }

  private parse(key: string, data: Buffer, isBinary: boolean): SentFrame | undefined {
    const gifts = this.read(data, isBinary);
    if (!gifts) return undefined;
    const tags = gifts.flatMap((entry) => entry.tags);
    for (const tag of tags) {
      if (this.orders.has(tag)) this.repeated.push(tag);
      this.orders.add(tag);
    }
    const frame: SentFrame = {
      data: Buffer.from(data),
      sum: gifts.reduce((sum, { count }) => sum + count, 0),
      sentAt: tags.map((tag) => sentAt(tag)),
      shownTo: new Uint32Array(this.words),
    };
    const others = this.byKey.get(key);
    if (others) others.push(frame);
    else this.byKey.set(key, [frame]);
    return frame;
  }
}
