import { bizCodes, frameCodes } from "../../services/im-frames.ts";
import type { Expected, Gifts } from "./outcomes.ts";

interface Entry {
  orderIds: readonly string[];
  count: number;
}

interface GiftFrame {
  code: number;
  body: { bizCode?: number; data?: { gifts?: Entry[] } };
}

/** What one viewer saw: distinct orders, and the sum of their counts. */
export interface Seen extends Gifts {
  roomId: number;
  /** Orders that came again: in a second entry, or twice in one. */
  repeated: number;
}

interface Viewer {
  roomId: number;
  orders: Set<string>;
  pieces: number;
  repeated: number;
}

/** What the viewers of one process saw of the gifts. */
export class SeenGifts {
  private readonly viewers: Viewer[] = [];
  /** The last frame of each room: its members get the same bytes one after the other, and it is parsed once for them. */
  private readonly lastFrames = new Map<number, { text: Buffer; gifts: readonly Entry[] }>();
  /** Orders seen by all viewers together. */
  orders = 0;
  /** When the last order was seen for the first time, Unix ms. */
  lastAt = 0;

  /** Returns the viewer's number. */
  add(roomId: number): number {
    return this.viewers.push({ roomId, orders: new Set(), pieces: 0, repeated: 0 }) - 1;
  }

  take(number: number, text: Buffer, at: number): void {
    const viewer = this.viewers[number] as Viewer;
    for (const { orderIds, count } of this.giftsOf(viewer.roomId, text)) {
      const fresh = orderIds.filter((orderId) => !viewer.orders.has(orderId) && viewer.orders.add(orderId)).length;
      viewer.repeated += orderIds.length - fresh;
      // The orders of an entry have the same number of pieces.
      viewer.pieces += (count / orderIds.length) * fresh;
      this.orders += fresh;
      if (fresh > 0) this.lastAt = at;
    }
  }

  report(): Seen[] {
    return this.viewers.map(({ roomId, orders, pieces, repeated }) => {
      return { roomId, gifts: orders.size, pieces, repeated };
    });
  }

  private giftsOf(roomId: number, text: Buffer): readonly Entry[] {
    const last = this.lastFrames.get(roomId);
    if (last?.text.equals(text)) return last.gifts;
    const { code, body } = JSON.parse(text.toString()) as GiftFrame;
    const isGift = code === frameCodes.business && body.bizCode === bizCodes.gift;
    const gifts = (isGift && body.data?.gifts) || [];
    this.lastFrames.set(roomId, { text: Buffer.from(text), gifts });
    return gifts;
  }
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
