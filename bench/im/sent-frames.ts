import { sentAt } from "./offer.ts";
import type { ShownGifts } from "./wires.ts";

/** A frame with gifts, parsed once for all viewers. */
export interface SentFrame {
  text: Buffer;
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
 * by their text and parsed once, so that the load generator costs little.
 */
export class SentFrames {
  private readonly byKey = new Map<string, SentFrame[]>();
  private readonly orders = new Set<string>();
  private readonly words: number;
  private readonly read: (text: Buffer) => ShownGifts[] | undefined;
  /** Orders that arrived in more than one frame. */
  readonly repeated: string[] = [];

  constructor(viewers: number, read: (text: Buffer) => ShownGifts[] | undefined) {
    this.words = Math.ceil(viewers / 32);
    this.read = read;
  }

  /** The frame of this text; `undefined` where the viewer has received it before, or where it has no gifts. */
  shown(viewer: number, text: Buffer): SentFrame | undefined {
    const key = text.toString("latin1", 0, keyBytes);
    const known = this.byKey.get(key);
    const frame = known?.find((one) => one.text.equals(text)) ?? this.parse(key, text);
    if (!frame) return undefined;
    const at = viewer >>> 5;
    const bit = 1 << (viewer & 31);
    const before = frame.shownTo[at] as number;
    if (before & bit) return undefined;
    frame.shownTo[at] = before | bit;
    return frame;
  }

  private parse(key: string, text: Buffer): SentFrame | undefined {
    const gifts = this.read(text);
    if (!gifts) return undefined;
    const orderIds = gifts.flatMap((entry) => entry.orderIds);
    for (const orderId of orderIds) {
      if (this.orders.has(orderId)) this.repeated.push(orderId);
      this.orders.add(orderId);
    }
    const frame: SentFrame = {
      text: Buffer.from(text),
      sum: gifts.reduce((sum, { count }) => sum + count, 0),
      sentAt: orderIds.map(sentAt),
      shownTo: new Uint32Array(this.words),
    };
    const others = this.byKey.get(key);
    if (others) others.push(frame);
    else this.byKey.set(key, [frame]);
    return frame;
  }
}
