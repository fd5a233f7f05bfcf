import { randomUUID } from "node:crypto";
import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import type { RedisState } from "./redis.mixin.ts";
import { acquireScript, releaseScript, renewScript } from "./redis-lock/scripts.ts";

/** Locks held together. `fencingToken` grows with every acquisition anywhere in the system (0 while Redis is away). */
export interface LockHold {
  /** Those of the asked keys that are ours; the others are held elsewhere and may be asked for again. */
  readonly acquired: ReadonlySet<string>;
  readonly fencingToken: number;
  /** True where Redis could not be asked: all keys count as acquired, and only the database excludes others. */
  readonly degraded: boolean;
  /** Gives back what is still ours. Never rejects: what cannot be given back runs out by its TTL. */
  release(): Promise<void>;
}

export interface LockCounters {
  acquired: number;
  contended: number;
  degraded: number;
  /** Holds whose renewal found that a key was lost to its TTL. */
  lost: number;
}

export interface RedisLockState extends RedisState {
  locks: {
    /**
     * Takes as many of the keys as are free, in one step, and renews them until they are released. The locks are for
     * order and speed: what they guard must be decided by the database all the same.
     */
    acquire(keys: readonly string[]): Promise<LockHold>;
    readonly counters: LockCounters;
  };
}

const lockKey = (key: string) => `lock:${key}`;

class Locks {
  readonly counters: LockCounters = { acquired: 0, contended: 0, degraded: 0, lost: 0 };
  private readonly service: Service & RedisState;
  private degraded = false;

  constructor(service: Service & RedisState) {
    this.service = service;
  }

  async acquire(keys: readonly string[]): Promise<LockHold> {
    const owner = randomUUID();
    const names = keys.map(lockKey);
    let reply: [fencingToken: number, ...taken: number[]];
    try {
      reply = (await this.service.redis.eval(
        acquireScript,
        names.length + 1,
        "lock-fencing-token",
        ...names,
        owner,
        limits.lock.ttlMs,
      )) as typeof reply;
      if (this.degraded) this.service.logger.info("locks are taken in Redis again");
      this.degraded = false;
    } catch (error) {
      return this.withoutRedis(keys, error);
    }
    const [fencingToken, ...taken] = reply;
    const acquired = keys.filter((_key, index) => taken[index] === 1);
    this.counters.acquired += acquired.length;
    this.counters.contended += keys.length - acquired.length;
    const held = acquired.map(lockKey);
    const renewal = held.length > 0 ? setInterval(() => this.renew(held, owner), limits.lock.renewEveryMs) : undefined;
    return {
      acquired: new Set(acquired),
      fencingToken,
      degraded: false,
      release: async () => {
        clearInterval(renewal);
        if (held.length === 0) return;
        await this.service.redis.eval(releaseScript, held.length, ...held, owner).catch((error: Error) => {
          this.service.logger.warn(
            { err: error, locks: held.length },
            "locks not given back: they run out by their TTL",
          );
        });
      },
    };
  }

  private renew(held: string[], owner: string): void {
    this.service.redis.eval(renewScript, held.length, ...held, owner, limits.lock.ttlMs).then(
      (kept) => {
        if (Number(kept) < held.length) this.counters.lost += held.length - Number(kept);
      },
      (error: Error) => this.service.logger.warn({ err: error, locks: held.length }, "locks not renewed"),
    );
  }

  private withoutRedis(keys: readonly string[], error: unknown): LockHold {
    this.counters.degraded++;
    if (!this.degraded)
      this.service.logger.warn(
        { err: error },
        "no locks: Redis is not reachable, the database's row locks decide alone",
      );
    this.degraded = true;
    return { acquired: new Set(keys), fencingToken: 0, degraded: true, release: async () => {} };
  }
}

/** Needs redisMixin before it. */
export const redisLockMixin = {
  started(this: Service & RedisLockState) {
    this.locks = new Locks(this);
  },
};
