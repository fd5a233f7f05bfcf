import { LRUCache } from "lru-cache";
import type { Rate } from "./rate.ts";

/**
 * A rate of each user on this node, over all of the user's connections, in a bounded memory: who was not heard for longer
 * than `remembered` others starts anew.
 */
export class UserRate {
  private readonly rate: Rate;
  private readonly paidUntil: LRUCache<string, number>;

  constructor(rate: Rate, remembered: number) {
    this.rate = rate;
    this.paidUntil = new LRUCache({ max: remembered });
  }

  /** False where this one is too fast. */
  take(userId: string, nowMs: number): boolean {
    const paidUntil = this.rate.take(this.paidUntil.get(userId) ?? 0, nowMs);
    if (paidUntil !== undefined) this.paidUntil.set(userId, paidUntil);
    return paidUntil !== undefined;
  }
}
