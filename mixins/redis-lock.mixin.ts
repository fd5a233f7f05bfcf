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
  /** Keys that a renewal found lost: to their TTL, or with Redis. */
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

/** Locks that may be in Redis though nobody has them any more: the answer to taking or giving them back did not come. */
interface Leftover {
  readonly names: readonly string[];
  readonly owner: string;
  readonly expiresAt: number;
}

class Locks {
  readonly counters: LockCounters = { acquired: 0, contended: 0, degraded: 0, lost: 0 };
  private readonly service: Service & RedisState;
  private degraded = false;
  private leftovers: Leftover[] = [];
  /** Redis took a question and did not answer it in time: nobody waits for it until it does. */
  private silent = false;

  constructor(service: Service & RedisState) {
    this.service = service;
    service.redis.on("ready", () => this.heard());
  }

  async acquire(keys: readonly string[]): Promise<LockHold> {
    if (this.silent) return this.withoutRedis(keys);
    const owner = randomUUID();
    const names = keys.map(lockKey);
    const connected = this.service.redis.status === "ready";
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
      if (connected) {
        // A Redis that hangs may carry this out only when it goes on: until it has answered, nothing runs out.
        this.leftovers.push({ names, owner, expiresAt: Number.POSITIVE_INFINITY });
        this.listen();
      }
      return this.withoutRedis(keys, error);
    }
    this.giveBackLeftovers();
    const [fencingToken, ...taken] = reply;
    const acquired = keys.filter((_key, index) => taken[index] === 1);
    this.counters.acquired += acquired.length;
    this.counters.contended += keys.length - acquired.length;
    const held = acquired.map(lockKey);
    const stopRenewal = held.length > 0 ? this.keepRenewing(held, owner) : () => {};
    return {
      acquired: new Set(acquired),
      fencingToken,
      degraded: false,
      release: async () => {
        stopRenewal();
        if (held.length > 0) await this.giveBack({ names: held, owner, expiresAt: Date.now() + limits.lock.ttlMs });
      },
    };
  }

  private heard(): void {
    this.silent = false;
    this.giveBackLeftovers();
  }

  /** Asks until Redis answers, or its connection breaks: then it is heard of when there is a new one. */
  private listen(): void {
    if (this.silent) return;
    this.silent = true;
    const ask = () => {
      if (!this.silent || this.service.redis.status !== "ready") return;
      this.service.redis.ping().then(
        () => this.heard(),
        () => setTimeout(ask, limits.lock.listenEveryMs).unref(),
      );
    };
    ask();
  }

  /** Never rejects: what cannot be given back now is tried again when Redis answers, until it has run out by its TTL. */
  private async giveBack(locks: Leftover): Promise<void> {
    const { names, owner } = locks;
    try {
      await this.service.redis.eval(releaseScript, names.length, ...names, owner);
    } catch (error) {
      this.leftovers.push(locks);
      this.service.logger.warn(
        { err: error, locks: names.length },
        "locks not given back: tried again when Redis answers, else they run out by their TTL",
      );
    }
  }

  private giveBackLeftovers(): void {
    for (const locks of this.leftovers.splice(0)) if (Date.now() < locks.expiresAt) void this.giveBack(locks);
  }

  /** Gives back what ends it. */
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

  private withoutRedis(keys: readonly string[], error?: unknown): LockHold {
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
