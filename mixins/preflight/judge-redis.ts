import { limits } from "../../config/limits.ts";
import { type Finding, oldVersion } from "./checks.ts";

/** What order and speed rest on at Redis. No money does. Pure. */

export interface RedisSeen {
  readonly server: string;
  /** The answer to INFO. */
  readonly info: string;
}

const fieldOf = (info: string, name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];

export function judgeRedis({ server, info }: RedisSeen): Finding[] {
  const version = fieldOf(info, "redis_version") ?? "";
  const old = oldVersion({
    ...{ check: "redis.version", severity: "speed", server, version, what: "Redis" },
    least: limits.preflight.versions.redis,
  });
  return [...old, ...judgePolicy(server, info), ...judgePersistence(server, info)];
}

function judgePolicy(server: string, info: string): Finding[] {
  const policy = fieldOf(info, "maxmemory_policy");
  if (policy === undefined || policy === "noeviction") return [];
  const bounded = Number(fieldOf(info, "maxmemory") ?? 0) > 0;
  return [
    {
      ...{ check: "redis.policy", severity: bounded ? "speed" : "note", server, found: policy, wanted: "noeviction" },
      risk: bounded
        ? "a full Redis drops locks, leases and login codes: gifts lose their order, and logins fail"
        : "nothing as long as it has no maxmemory; with one it would drop locks, leases and login codes",
      repair: "maxmemory-policy noeviction in redis.conf (at once: CONFIG SET maxmemory-policy noeviction)",
    },
  ];
}

function judgePersistence(server: string, info: string): Finding[] {
  const found = fieldOf(info, "aof_enabled");
  if (found !== "0") return [];
  return [
    {
      ...{ check: "redis.persistence", severity: "note", server, found: "appendonly no", wanted: "appendonly yes" },
      risk: "a restart of Redis empties rooms' histories, presence and login codes: clients connect again",
      repair: "appendonly yes in redis.conf (at once: CONFIG SET appendonly yes)",
    },
  ];
}
