import { LRUCache } from "lru-cache";
import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import { luaScript } from "./redis/lua-script.ts";
import type { RedisState } from "./redis.mixin.ts";

const hitScript = luaScript("mixins/redis/lua/rate-limit-hit.lua");
const waitScript = luaScript("mixins/redis/lua/rate-limit-wait.lua");

/** A limit of hits by key, e.g. by a client's address. */
export interface RateLimit {
  readonly name: string;
  readonly key: string;
  readonly limit: number;
  /** A window starts with its first hit. */
  readonly windowMs: number;
}

export interface RateLimitState extends RedisState {
  rateLimit: {
    /**
     * Counts one hit against `limit` in a window of `windowMs` that starts with the first hit. Resolves to 0 where the
     * hit is within the limit, else to the ms to wait. Without Redis nothing is limited, with a warning in the log.
     */
    hit(name: string, key: string, limit: number, windowMs: number): Promise<number>;
    /** The same; without Redis the hits on this node count. */
    hitAlways(limit: RateLimit): Promise<number>;
    /** The ms until another hit is within the limit; 0 where it is now. Counts nothing. Without Redis as `hitAlways`. */
    waitFor(limit: RateLimit): Promise<number>;
  };
}

/** Windows of this process, in bounded memory: the keys that were hit least recently are forgotten. */
export class LocalWindows {
  private readonly windows: LRUCache<string, { hits: number; until: number }>;

  constructor(keys: number) {
    this.windows = new LRUCache({ max: keys });
  }

  /** As `RateLimitState.rateLimit.hitAlways`. */
  hit({ name, key, limit, windowMs }: RateLimit, nowMs: number): number {
    const id = `${name}:${key}`;
    const last = this.windows.get(id);
    const window = last && last.until > nowMs ? last : { hits: 0, until: nowMs + windowMs };
    window.hits++;
    this.windows.set(id, window);
    return window.hits <= limit ? 0 : window.until - nowMs;
  }

  /** As `RateLimitState.rateLimit.waitFor`. */
  waitFor({ name, key, limit }: RateLimit, nowMs: number): number {
    const window = this.windows.get(`${name}:${key}`);
    return window && window.until > nowMs && window.hits >= limit ? window.until - nowMs : 0;
  }
}

/** Needs redisMixin before it. */
export const rateLimitMixin = {
  started(this: Service & RateLimitState) {
    const here = new LocalWindows(limits.http.addressesCountedHere);
    const orHere = async (limit: RateLimit, byRedis: Promise<unknown>, byNode: () => number) => {
      try {
        return Number(await byRedis);
      } catch (err) {
        this.logger.warn({ err, limit: limit.name }, "Redis is not reachable: a limit counts on this node alone");
        return byNode();
      }
    };
    // The counts of a service are its own: its login at Redis reaches no others.
    const keyOf = (name: string, key: string) => `rate:${this.name}:${name}:${key}`;
    this.rateLimit = {
      hit: async (name, key, limit, windowMs) => {
        try {
          return Number(await this.redis.eval(hitScript, 1, keyOf(name, key), limit, windowMs));
        } catch (error) {
          this.logger.warn(
            { err: error, limit: name },
            "a request was not counted against its limit and is allowed: Redis is not reachable",
          );
          return 0;
        }
      },
      hitAlways: (limit) => {
        const { name, key, limit: most, windowMs } = limit;
        const hit = this.redis.eval(hitScript, 1, keyOf(name, key), most, windowMs);
        return orHere(limit, hit, () => here.hit(limit, Date.now()));
      },
      waitFor: (limit) => {
        const wait = this.redis.eval(waitScript, 1, keyOf(limit.name, limit.key), limit.limit);
        return orHere(limit, wait, () => here.waitFor(limit, Date.now()));
      },
    };
  },
};
