import type { Redis } from "ioredis";
import type { Service } from "moleculer";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { openRedis, probeConnection, requireWritable } from "./redis/client.ts";

export { openRedis } from "./redis/client.ts";

/** What the mixin puts on a service. All keys are under the namespace's prefix, added by the client. */
export interface RedisState {
  redis: Redis;
}

interface Internals extends RedisState {
  stopProbing?: () => void;
}

/**
 * A Redis connection from a service's start to its stop. A service starts without Redis too: what needs it then fails
 * as `unavailable`, since Redis holds nothing that cannot be lost.
 */
function redisLifecycle(health: { degrades: boolean }) {
  return {
    async started(this: Service & Internals & HealthState) {
      const owner = `${this.name}:${this.broker.nodeID}`;
      this.redis = openRedis(this.name, (error) =>
        this.logger.warn(
          { err: error },
          "Redis refuses commands: the connection is dropped and opened again, at most every 2 s",
        ),
      );
      let saidDown = false;
      this.redis.on("error", (error) => {
        if (saidDown) return;
        saidDown = true;
        this.logger.error(
          { err: error },
          "Redis is not reachable: sessions, limits and presence are down, money is not",
        );
      });
      this.redis.on("ready", () => {
        if (saidDown) this.logger.info("Redis is back");
        saidDown = false;
      });
      addHealthCheck(this, "redis", () => requireWritable(this.redis, owner), health);
      this.stopProbing = probeConnection(this.redis, owner);
      await this.redis.connect().catch((error: Error) => {
        this.logger.warn({ err: error }, "started without Redis: it is tried again in the background");
      });
    },
    async stopped(this: Service & Partial<Internals>) {
      this.stopProbing?.();
      this.redis?.disconnect();
    },
  };
}

/** For a service whose job needs Redis (logins, IM tokens, presence): without it the service is not ready. */
export const redisMixin = redisLifecycle({ degrades: false });

/**
 * For a service that goes on without Redis, slower or with fewer limits (spec section 8.5): its health says that it is
 * degraded, and it is ready all the same.
 */
export const optionalRedisMixin = redisLifecycle({ degrades: true });
