import { limits } from "../../config/limits.ts";
import type { LockHold } from "../redis-lock.mixin.ts";
import type { PartitionLease } from "./channel.ts";

interface Locks {
  acquire(keys: readonly string[]): Promise<LockHold>;
}

const leaseOf = (hold: LockHold): PartitionLease => ({ unlock: () => hold.unlock() });

/**
 * The leases of partitions, as locks in Redis. Without Redis every node that wants a lease has it, but not at once: one
 * answer that came too late does not say that Redis is away, and the holder may be well. A node goes on without Redis
 * only where no lease could be asked for as long as one lives (`limits.lock.ttlMs`): by then a holder that is cut off as
 * well knows it too.
 */
export class PartitionLeases {
  private readonly locks: Locks;
  private readonly now: () => number;
  /** Since when Redis has answered no question about a lease, by its name. */
  private readonly unanswered = new Map<string, number>();

  constructor(locks: Locks, now: () => number = () => performance.now()) {
    this.locks = locks;
    this.now = now;
  }

  /** `undefined` where another node has it, or may have it. */
  async acquire(durable: string): Promise<PartitionLease | undefined> {
    const key = `partition:${durable}`;
    const hold = await this.locks.acquire([key]);
    if (!hold.degraded) {
      this.unanswered.delete(key);
      return hold.acquired.has(key) ? leaseOf(hold) : undefined;
    }
    const since = this.unanswered.get(key) ?? this.now();
    this.unanswered.set(key, since);
    return this.now() - since >= limits.lock.ttlMs ? leaseOf(hold) : undefined;
  }
}
