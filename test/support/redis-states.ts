import type { Redis } from "ioredis";

/** What an administrator, or a failover, does to a Redis, and how it is undone. */
export interface RedisState {
  /** The error code that Redis answers with. */
  readonly name: string;
  does(admin: Redis): Promise<unknown>;
  undoes(admin: Redis): Promise<unknown>;
  /** Whether reads are answered meanwhile. */
  readonly reads: boolean;
}

export const redisStates: readonly RedisState[] = [
  {
    name: "NOREPLICAS",
    does: (admin) => admin.config("SET", "min-replicas-to-write", "1"),
    undoes: (admin) => admin.config("SET", "min-replicas-to-write", "0"),
    reads: true,
  },
  {
    name: "OOM",
    does: (admin) => admin.config("SET", "maxmemory", "1"),
    undoes: (admin) => admin.config("SET", "maxmemory", "0"),
    reads: true,
  },
  {
    name: "READONLY",
    does: (admin) => admin.call("REPLICAOF", "127.0.0.1", "1"),
    undoes: (admin) => admin.call("REPLICAOF", "NO", "ONE"),
    reads: true,
  },
  {
    name: "MASTERDOWN",
    async does(admin) {
      await admin.config("SET", "replica-serve-stale-data", "no");
      await admin.call("REPLICAOF", "127.0.0.1", "1");
    },
    async undoes(admin) {
      await admin.call("REPLICAOF", "NO", "ONE");
      await admin.config("SET", "replica-serve-stale-data", "yes");
    },
    reads: false,
  },
  {
    name: "NOPERM",
    does: (admin) => admin.acl("SETUSER", "default", "-set", "-eval"),
    undoes: (admin) => admin.acl("SETUSER", "default", "+@all"),
    reads: true,
  },
];
