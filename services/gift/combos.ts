import { randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import type { RoomGift } from "../im-router/im-router.contract.ts";
import type { SettledGift } from "./gift.contract.ts";

export type Combo = NonNullable<RoomGift["combo"]>;
type Sent = Pick<SettledGift, "orderId" | "senderId" | "giftId" | "roomId" | "count" | "time">;

interface Streak {
  readonly id: string;
  count: number;
  /** The latest time of its gifts, ms. */
  last: number;
}

/**
 * The streaks of gifts: gifts of one sender, gift and room, each at most `limits.gift.comboGapMs` from the one before by
 * the times of the gifts. They are a help for display, in the memory of the node that shows the gifts: a change of nodes
 * begins new streaks. Gifts of a sender come in their order; times that are equal, or slightly out of order, do not end a
 * streak. Bounded: beyond the limits the streak without gifts for the longest is forgotten, and of the orders the oldest.
 */
export class Combos {
  private readonly streaks: LRUCache<string, Streak>;
  /** What each of the last orders was shown with: a repeat gets the same and does not count again. */
  private readonly shown: LRUCache<string, Combo>;
  /** Differs between nodes, so that ids are not used twice. */
  private readonly prefix = randomBytes(3).toString("base64url");
  private begun = 0;
  private timeText = "";
  private time = Number.NaN;

  constructor(bounds: { streaks: number; orders: number } = limits.gift.combosRemembered) {
    this.streaks = new LRUCache({ max: bounds.streaks });
    this.shown = new LRUCache({ max: bounds.orders });
  }

  /** What is remembered. */
  get size(): { streaks: number; orders: number } {
    return { streaks: this.streaks.size, orders: this.shown.size };
  }

  /** The gift's streak, and the pieces in it up to this gift. Call it for the gifts of a sender in their order. */
  add(gift: Sent): Combo {
    const before = this.shown.peek(gift.orderId);
    if (before) return before;
    const { id, count } = this.streakWith(gift);
    const combo = { id, count };
    this.shown.set(gift.orderId, combo);
    return combo;
  }

  private streakWith({ roomId, giftId, senderId, count, time }: Sent): Streak {
    const at = this.parsed(time);
    const key = `${roomId} ${giftId} ${senderId}`;
    const open = this.streaks.get(key);
    if (open && Math.abs(at - open.last) <= limits.gift.comboGapMs) {
      open.count += count;
      if (at > open.last) open.last = at;
      return open;
    }
    const streak = { id: this.prefix + (this.begun++).toString(36), count, last: at };
    // A gift of long ago, as in a catch-up from the books, or without a time does not end the open streak.
    if (!open || at > open.last) this.streaks.set(key, streak);
    return streak;
  }

  /** Gifts of one message have the same time: it is parsed once. */
  private parsed(time: string): number {
    if (time !== this.timeText) {
      this.timeText = time;
      this.time = Date.parse(time);
    }
    return this.time;
  }
}
