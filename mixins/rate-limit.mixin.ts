import type { Service } from "moleculer";
import { luaScript } from "./redis/lua-script.ts";
import type { RedisState } from "./redis.mixin.ts";

const hitScript = luaScript("mixins/redis/lua/rate-limit-hit.lua");

export interface RateLimitState extends RedisState {
  rateLimit: {
    /**
     * Counts one hit against `limit` in a window of `windowMs` that starts with the first hit. Resolves to 0 where the
     * hit is within the limit, else to the ms to wait. Without Redis nothing is limited, with a warning in the log.
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
          this.logger.warn(
            { err: error, limit: name },
            "a request was not counted against its limit and is allowed: Redis is not reachable",
          );
          return 0;
        }
      },
    };
  },
};
