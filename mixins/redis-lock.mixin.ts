import { randomUUID } from "node:crypto";
import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import { sendAlways } from "./redis/client.ts";
import { type LockCounters, LockMetrics } from "./redis/lock-metrics.ts";
import { luaScript } from "./redis/lua-script.ts";
import type { RedisState } from "./redis.mixin.ts";

const acquireScript = luaScript("mixins/redis/lua/lock-acquire.lua");
const renewScript = luaScript("mixins/redis/lua/lock-renew.lua");
const unlockScript = luaScript("mixins/redis/lua/lock-unlock.lua");

/** Locks that were acquired together. */
export interface LockHold {
  /** The requested keys that this caller holds; the others are held elsewhere and may be requested again. */
  readonly acquired: ReadonlySet<string>;
  /**
   * True where Redis was not asked or did not answer: all keys count as acquired, and only the database excludes
   * others.
   */
  readonly degraded: boolean;
  /** Removes the locks that are still this caller's. Never rejects: a lock that cannot be removed expires with its TTL. */
  unlock(): Promise<void>;
}

export interface RedisLockState extends RedisState {
  locks: {
    /**
     * Acquires the free ones of the keys in one step, and renews them until `unlock`. The locks are for order and speed
     * alone: the database must decide about the guarded data. So nobody waits for a Redis that is away (see Breaker).
     */
    acquire(keys: readonly string[]): Promise<LockHold>;
    readonly counters: LockCounters;
  };
}

/**
 * The circuit breaker of the locks. While it is open, callers go on without Redis.
 *
 *   closed     everybody asks Redis     -> open       a call fails or times out
 *   open       nobody asks              -> half-open  after `limits.lock.breakerMs`, or on a new connection
 *   half-open  the first caller asks    -> closed     it is answered
 *                                       -> open       it is not
 */
class Breaker {
  private open = false;
  private retryAt = 0;

  /**
   * Whether this caller may ask Redis. While the breaker is open, one caller gets `true` in each
   * `limits.lock.breakerMs`.
   */
  mayAsk(): boolean {
    if (!this.open) return true;
    const now = Date.now();
    if (now < this.retryAt) return false;
    this.retryAt = now + limits.lock.breakerMs;
    return true;
  }

  /** Returns whether the breaker was open. */
  answered(): boolean {
    const wasOpen = this.open;
    this.open = false;
    return wasOpen;
  }

  /** Returns whether the breaker was closed. */
  failed(): boolean {
    const wasClosed = !this.open;
    this.open = true;
    this.retryAt = Date.now() + limits.lock.breakerMs;
    return wasClosed;
  }

  connected(): void {
    this.retryAt = 0;
  }
}

class Locks {
  readonly counters: LockCounters = { acquired: 0, contended: 0, degraded: 0, lost: 0 };
  private readonly service: Service & RedisState;
  private readonly breaker = new Breaker();
  private readonly metrics: LockMetrics;

  constructor(service: Service & RedisState) {
    this.service = service;
    this.metrics = new LockMetrics(service);
    service.redis.on("ready", () => this.breaker.connected());
  }

  async acquire(keys: readonly string[]): Promise<LockHold> {
    if (!this.breaker.mayAsk()) return this.withoutRedis(keys);
    const owner = randomUUID();
    const names = keys.map((key) => this.nameOf(key));
    let taken: number[];
    try {
      taken = (await this.service.redis.eval(
        acquireScript,
        names.length,
        ...names,
        owner,
        limits.lock.ttlMs,
      )) as number[];
    } catch (error) {
      this.failed(error);
      // A Redis that hangs may run the script later. This command follows it on the same connection and undoes it.
      const args = [unlockScript, names.length, ...names, owner];
      void this.unlock(names.length, () => sendAlways(this.service.redis, "eval", args));
      return this.withoutRedis(keys);
    }
    if (this.breaker.answered()) {
      this.service.logger.info("locks are acquired in Redis again");
      this.metrics.breaker(false);
    }
    const acquired = keys.filter((_key, index) => taken[index] === 1);
    this.add("acquired", acquired.length);
    this.add("contended", keys.length - acquired.length);
    this.metrics.held(acquired.length);
    const held = acquired.map((key) => this.nameOf(key));
    const stopRenewal = held.length > 0 ? this.keepRenewing(held, owner) : () => {};
    return {
      acquired: new Set(acquired),
      degraded: false,
      unlock: async () => {
        stopRenewal();
        this.metrics.held(-held.length);
        if (held.length > 0)
          await this.unlock(held.length, () => this.service.redis.eval(unlockScript, held.length, ...held, owner));
      },
    };
  }

  private add(outcome: keyof LockCounters, keys: number): void {
    this.counters[outcome] += keys;
    if (keys > 0) this.metrics.count[outcome](keys);
  }

  /** Of a lock in Redis. The locks of a service are its own: its login there reaches no others. */
  private nameOf(key: string): string {
    return `lock:${this.service.name}:${key}`;
  }

  private failed(error: unknown): void {
    if (!this.breaker.failed()) return;
    this.metrics.breaker(true);
    this.service.logger.warn(
      { err: error, retryInMs: limits.lock.breakerMs },
      "Redis did not answer about locks: they are not used, and the row locks of the database decide alone",
    );
  }

  /** Never rejects. */
  private async unlock(locks: number, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      this.service.logger.warn(
        { err: error, locks, ttlMs: limits.lock.ttlMs },
        "locks could not be removed: they expire with their TTL",
      );
    }
  }

  /** Returns a function that stops the renewal. */
  private keepRenewing(held: readonly string[], owner: string): () => void {
    let lost = 0;
    const timer = setInterval(() => {
      this.service.redis.eval(renewScript, held.length, ...held, owner, limits.lock.ttlMs).then(
        (kept) => {
          const lostNow = held.length - Number(kept);
          this.add("lost", Math.max(0, lostNow - lost));
          lost = Math.max(lost, lostNow);
        },
        (error: Error) =>
          this.service.logger.warn(
            { err: error, locks: held.length },
            "locks were not renewed: the next renewal tries again",
          ),
      );
    }, limits.lock.renewEveryMs);
    return () => clearInterval(timer);
  }

  private withoutRedis(keys: readonly string[]): LockHold {
    this.add("degraded", 1);
    return { acquired: new Set(keys), degraded: true, unlock: async () => {} };
  }
}

/** Needs redisMixin before it. */
export const redisLockMixin = {
  started(this: Service & RedisLockState) {
    this.locks = new Locks(this);
  },
};
