import { readClock, redisTime } from "../clock/read-clock.ts";
import { type Skew, surest } from "../clock/skew.ts";
import { openRedis } from "../redis/client.ts";
import type { RedisSeen } from "./judge-redis.ts";

/**
 * Reads what Redis says of itself to the login of a service, and its clock. Fails: unavailable, or the client's error
 * where it cannot be reached.
 */
export async function readRedis(
  service: string,
  url: string,
  server: string,
): Promise<{ seen: RedisSeen; clock: Skew | undefined }> {
  const redis = openRedis(service, () => undefined, url);
  // Its calls reject with what is wrong.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    const info = await redis.info();
    const clock = surest([
      await readClock(server, () => redisTime(redis)),
      await readClock(server, () => redisTime(redis)),
    ]);
    return { seen: { server, info }, clock };
  } finally {
    redis.disconnect();
  }
}
