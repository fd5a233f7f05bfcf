import { Redis, type RedisOptions } from "ioredis";
import { limits } from "../../config/limits.ts";
import { sentinelsOf } from "../../config/server-urls.ts";

/**
 * What the client takes for where Redis is: the URL, or the options of its sentinels. They are asked at each connection
 * for the master. Their word that another one is the master drops the connection: a master that hangs is left too.
 */
export function redisAddress(url: string): string | RedisOptions {
  const found = sentinelsOf(url);
  if (!found) return url;
  const { sentinels, name, username, password, sentinelUsername, sentinelPassword, tls } = found;
  return {
    sentinels: [...sentinels],
    name,
    role: "master",
    failoverDetector: true,
    // Not those that a sentinel names beside them: their hosts were not checked (config/plaintext.ts).
    updateSentinels: false,
    sentinelCommandTimeout: limits.redis.commandTimeoutMs,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  };
}

/** A tool's connection to the Redis that services would use. */
export function redisOf(url: string, options: RedisOptions = {}): Redis {
  // The client takes any number of addresses and options.
  return new Redis(redisAddress(url) as string, options);
}
