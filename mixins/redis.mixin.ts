import type { Redis } from "ioredis";
import type { Service } from "moleculer";
import { limits } from "../config/limits.ts";
import type { BackgroundLoop } from "./background-loop.ts";
import { readClock, redisTime } from "./clock/read-clock.ts";
import { watchClock } from "./clock/watch-clock.ts";
import { addHealthCheck, type HealthState } from "./health.mixin.ts";
import { openRedis, probeConnection, requireWritable } from "./redis/client.ts";
import { MemoryWatch } from "./redis/memory-watch.ts";
import { within } from "./within.ts";

export { openRedis } from "./redis/client.ts";

/** The state that the mixin adds to a service. The client adds the namespace's prefix to all keys. */
export interface RedisState {
  redis: Redis;
}

interface Internals extends RedisState {
  stopProbing?: () => void;
  memoryWatch?: MemoryWatch;
  redisClock?: BackgroundLoop;
}

/**
 * A Redis connection from a service's start to its stop. A service also starts without Redis: then commands fail with
 * `unavailable`. All data in Redis may be lost.
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
      let isDown = false;
      this.redis.on("error", (error) => {
        if (isDown) return;
        isDown = true;
        this.logger.error(
          { err: error },
          "Redis is not reachable: login codes, rate limits and presence fail; money is not affected",
        );
      });
      this.redis.on("ready", () => {
        if (isDown) this.logger.info("Redis is back");
        isDown = false;
      });
      this.redis.on("silent", () =>
        this.logger.warn(
          { timeoutMs: limits.redis.commandTimeoutMs },
          "Redis does not answer: its commands fail at once until it does, or the connection is dropped",
        ),
      );
      this.redis.on("answering", () => this.logger.info("Redis answers again, or its connection was dropped"));
      const memory = new MemoryWatch(this, this.redis);
      this.memoryWatch = memory;
      const check = async () => {
        await requireWritable(this.redis, owner);
        memory.requireRoom();
      };
      addHealthCheck(this, "redis", check, health);
      this.redisClock = watchClock(this, "redis", async () => [await readClock(owner, () => redisTime(this.redis))]);
      this.stopProbing = probeConnection(this.redis, owner);
      // With sentinels the client goes on connecting for as long as none of them answers.
      await within(limits.redis.connectTimeoutMs, this.redis.connect()).catch((error: Error) => {
        this.logger.warn({ err: error }, "started without Redis: the connection is retried in the background");
      });
    },
    async stopped(this: Service & Partial<Internals>) {
      this.stopProbing?.();
      this.memoryWatch?.stop();
      this.redis?.disconnect();
      await this.redisClock?.stop();
    },
  };
}

/** For a service that needs Redis (login codes, IM tokens, presence): without it the service is not ready. */
export const redisMixin = redisLifecycle({ degrades: false });

/** For a service that works without Redis, slower or with fewer limits: without it the service is ready and degraded. */
export const optionalRedisMixin = redisLifecycle({ degrades: true });
