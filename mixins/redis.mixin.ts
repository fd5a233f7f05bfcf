import { Redis } from "ioredis";
import type { Service } from "moleculer";
import { config } from "../config/config.ts";
import { limits } from "../config/limits.ts";

/** What the mixin puts on a service. All keys are under the namespace's prefix, added by the client. */
export interface RedisState {
  redis: Redis;
}

/** A client that fails fast while Redis is away (nothing queues up) and reconnects by itself. */
export function openRedis(name: string): Redis {
  return new Redis(config().REDIS_URL, {
    keyPrefix: `${config().NAMESPACE}:`,
    connectionName: name,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: limits.redis.connectTimeoutMs,
    commandTimeout: limits.redis.commandTimeoutMs,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(attempt * 100, limits.redis.reconnectMaxDelayMs),
  });
}

/**
 * A Redis connection from a service's start to its stop. A service starts without Redis too: what needs it then fails
 * as `unavailable`, since Redis holds nothing that cannot be lost.
 */
export const redisMixin = {
  async started(this: Service & RedisState) {
    this.redis = openRedis(this.name);
    let saidDown = false;
    this.redis.on("error", (error) => {
      if (saidDown) return;
      saidDown = true;
      this.logger.error({ err: error }, "Redis is not reachable: sessions, limits and presence are down, money is not");
    });
    this.redis.on("ready", () => {
      if (saidDown) this.logger.info("Redis is back");
      saidDown = false;
    });
    await this.redis.connect().catch((error: Error) => {
      this.logger.warn({ err: error }, "started without Redis: it is tried again in the background");
    });
  },
  async stopped(this: Service & Partial<RedisState>) {
    this.redis?.disconnect();
  },
};
