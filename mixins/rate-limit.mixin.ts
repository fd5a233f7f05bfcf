import type { Service } from "moleculer";
import type { RedisState } from "./redis.mixin.ts";

/**
 * Purpose: count a hit in a window and say whether it is within the limit, in one step, so that parallel requests
 * cannot pass together. KEYS[1] the counter. ARGV[1] limit, ARGV[2] window in ms. Replies 0 where the hit is within the
 * limit, else the ms until the window ends.
 */
const hitScript = `
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if hits <= tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))`;

export interface RateLimitState extends RedisState {
  rateLimit: {
    /**
     * Counts one hit against `limit` in a window of `windowMs` that starts with the first hit. Resolves to the ms to
     * wait, 0 where the hit is within the limit. Without Redis nothing is limited, and that is logged.
     */
    hit(name: string, key: string, limit: number, windowMs: number): Promise<number>;
  };
}

/** Needs redisMixin before it. */
export const rateLimitMixin = {
  started(this: Service & RateLimitState) {
    this.rateLimit = {
      hit: async (name, key, limit, windowMs) => {
        try {
          return Number(await this.redis.eval(hitScript, 1, `rate:${name}:${key}`, limit, windowMs));
        } catch (error) {
          this.logger.warn({ err: error, limit: name }, "rate limit not counted: Redis is not reachable");
          return 0;
        }
      },
    };
  },
};
