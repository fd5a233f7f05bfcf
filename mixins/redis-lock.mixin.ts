import { randomUUID } from "node:crypto";
import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import { luaScript } from "./redis/lua-script.ts";
import type { RedisState } from "./redis.mixin.ts";

const acquireScript = luaScript("mixins/redis/lua/lock-acquire.lua");
const renewScript = luaScript("mixins/redis/lua/lock-renew.lua");
const unlockScript = luaScript("mixins/redis/lua/lock-unlock.lua");

/** Locks held together. */
export interface LockHold {
  /** Those of the asked keys that are ours; the others are held elsewhere and may be asked for again. */
  readonly acquired: ReadonlySet<string>;
  /** True where Redis was not asked, or did not answer: all keys count as acquired, and only the database excludes others. */
  readonly degraded: boolean;
  /** Gives back what is still ours. Never rejects: what cannot be given back runs out by its TTL. */
  release(): Promise<void>;
}

export interface LockCounters {
  acquired: number;
  contended: number;
  degraded: number;
  /** Keys that a renewal found lost: to their TTL, or with Redis. */
  lost: number;
}

export interface RedisLockState extends RedisState {
  locks: {
    /**
     * Takes as many of the keys as are free, in one step, and renews them until they are released. The locks are for
     * order and speed: what they guard must be decided by the database all the same. So nothing waits for a Redis that
     * is away: after a failure it is not asked for `limits.lock.breakerMs`, and then by one caller first.
     */
    acquire(keys: readonly string[]): Promise<LockHold>;
    readonly counters: LockCounters;
  };
}

const lockKey = (key: string) => `lock:${key}`;

class Locks {
  readonly counters: LockCounters = { acquired: 0, contended: 0, degraded: 0, lost: 0 };
  private readonly service: Service & RedisState;
  /** The circuit breaker: open since Redis failed, and asked again from then on. */
  private open = false;
  private askAgainAt = 0;

  constructor(service: Service & RedisState) {
    this.service = service;
    // A new connection is asked at once: the breaker is for a Redis that does not answer on the one there is.
    service.redis.on("ready", () => {
      this.askAgainAt = 0;
    });
  }

  async acquire(keys: readonly string[]): Promise<LockHold> {
    if (!this.mayAsk()) return this.withoutRedis(keys);
    const owner = randomUUID();
    const names = keys.map(lockKey);
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
      // Redis may take the locks all the same when it goes on: then this, on the same connection, comes right after it.
      void this.unlock(names, owner);
      return this.withoutRedis(keys);
    }
    if (this.open) this.service.logger.info("locks are taken in Redis again");
    this.open = false;
    const acquired = keys.filter((_key, index) => taken[index] === 1);
    this.counters.acquired += acquired.length;
    this.counters.contended += keys.length - acquired.length;
    const held = acquired.map(lockKey);
    const stopRenewal = held.length > 0 ? this.keepRenewing(held, owner) : () => {};
    return {
      acquired: new Set(acquired),
      degraded: false,
      release: async () => {
        stopRenewal();
        if (held.length > 0) await this.unlock(held, owner);
      },
    };
  }

  private mayAsk(): boolean {
    if (!this.open) return true;
    const now = Date.now();
    if (now < this.askAgainAt) return false;
    // One asks; the others do not wait for its answer.
    this.askAgainAt = now + limits.lock.breakerMs;
    return true;
  }

  private failed(error: unknown): void {
    this.askAgainAt = Date.now() + limits.lock.breakerMs;
    if (!this.open)
      this.service.logger.warn(
        { err: error, againInMs: limits.lock.breakerMs },
        "no locks: Redis did not answer, the database's row locks decide alone",
      );
    this.open = true;
  }

  /** Never rejects. */
  private async unlock(names: readonly string[], owner: string): Promise<void> {
    try {
      await this.service.redis.eval(unlockScript, names.length, ...names, owner);
    } catch (error) {
      this.service.logger.warn(
        { err: error, locks: names.length, ttlMs: limits.lock.ttlMs },
        "locks could not be given back: they run out by their TTL",
      );
    }
  }

  /** Returns what ends it. */
  private keepRenewing(held: readonly string[], owner: string): () => void {
    let lost = 0;
    const timer = setInterval(() => {
      this.service.redis.eval(renewScript, held.length, ...held, owner, limits.lock.ttlMs).then(
        (kept) => {
          const lostNow = held.length - Number(kept);
          this.counters.lost += Math.max(0, lostNow - lost);
          lost = Math.max(lost, lostNow);
        },
        (error: Error) => this.service.logger.warn({ err: error, locks: held.length }, "locks not renewed"),
      );
    }, limits.lock.renewEveryMs);
    return () => clearInterval(timer);
  }

  private withoutRedis(keys: readonly string[]): LockHold {
    this.counters.degraded++;
    return { acquired: new Set(keys), degraded: true, release: async () => {} };
  }
}

/** Needs redisMixin before it. */
export const redisLockMixin = {
  started(this: Service & RedisLockState) {
    this.locks = new Locks(this);
  },
};
