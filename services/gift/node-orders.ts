import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import type { Candidate, Outcome } from "./candidate.ts";

/**
 * The orders that this node is publishing or has published, in its own memory. It detects repeats and reuses of a
 * request id without Redis, as long as they reach the same node. Bounded, and lost with the process.
 *
 *     (none) → publishing → accepted | perhaps accepted → (none)     forgotten: too old, or one of too many
 *     publishing → (none)                                            certainly not accepted, nor by an earlier request
 *     perhaps accepted → publishing → ...                            a repeat with the same content
 */
export class NodeOrders {
  private readonly underWay = new Map<string, Candidate>();
  private readonly outcomes = new LRUCache<string, Outcome>({
    max: limits.gift.ordersRemembered,
    ttl: limits.gift.ordersRememberedMs,
  });

  /** The gift that is being published under this order. */
  publishing(orderId: string): Candidate | undefined {
    return this.underWay.get(orderId);
  }

  outcome(orderId: string): Outcome | undefined {
    return this.outcomes.get(orderId);
  }

  begin(candidate: Candidate): void {
    this.underWay.set(candidate.orderId, candidate);
  }

  /** Call it when `outcome` and `answer` of the gift are set. */
  end({ orderId, outcome }: Candidate): void {
    this.underWay.delete(orderId);
    if (outcome) this.outcomes.set(orderId, outcome);
  }
}
