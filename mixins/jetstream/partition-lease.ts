import { limits } from "../../config/limits.ts";
import type { LockHold } from "../redis-lock.mixin.ts";
import type { PartitionLease } from "./channel.ts";

interface Locks {
  acquire(keys: readonly string[]): Promise<LockHold>;
}

const leaseOf = (hold: LockHold): PartitionLease => ({ unlock: () => hold.unlock() });

/**
 * The leases of partitions, as locks in Redis. Without Redis every node that wants a lease gets it, but not at once: a
 * single late answer does not prove that Redis is down, and the holder may be running. A node continues without Redis
 * only after it could ask for no lease for the lifetime of one (`limits.lock.ttlMs`). By then a holder that lost Redis
 * too has noticed it.
 */
export class PartitionLeases {
  private readonly locks: Locks;
  private readonly now: () => number;
  /** The time since which Redis has not answered for a lease, by its name. */
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
