import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { dropNamespace } from "../../scripts/drop-namespace.ts";
import { stackStatus, startStack } from "../../scripts/stack/stack.ts";
import type { Closing } from "./closing.ts";

export interface BenchServers {
  /** The folder of the processes' logs; it has only those of the last run. */
  logs: string;
  /** The environment for processes of the benchmark's system. */
  env: Record<string, string>;
  /** Process ids of the servers by their kind; `undefined` for one in a container. */
  pids: Record<string, number | undefined>;
}

export const benchDir = (): string => join(projectRoot(), ".stack/bench");

/**
 * Starts private servers for a benchmark, durable as in production (InnoDB flush 1, JetStream on file), with a
 * namespace of their own; URLs in the environment are ignored. Settings are read at their first use, so call it before
 * any code of the product runs in this process.
 */
export async function openServers(progress: (line: string) => void, closing: Closing): Promise<BenchServers> {
  const { NATS_URL: _nats, REDIS_URL: _redis, MYSQL_URL: _mysql, ...surroundings } = process.env;
  const stack = await startStack({
    dir: benchDir(),
    preferredPorts: { nats: 16222, redis: 18379, mysql: 15306 },
    log: progress,
    env: surroundings,
  });
  closing.add(() => stack.stop());
  const logs = { folder: join(stack.dir, "logs"), own: join(stack.dir, "bench.log") };
  for (const left of Object.values(logs)) rmSync(left, { recursive: true, force: true });
  const namespace = `bench_${randomBytes(4).toString("hex")}`;
  const env: Record<string, string> = {
    NAMESPACE: namespace,
    PROFILE: "local",
    NATS_URL: stack.natsUrl,
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    SMS_PROVIDER: "console",
    // Gifts are counted, as in production, and none is refused for its number.
    GIFTS_PER_USER_PER_SECOND: "10000",
    CASHIER_SECRET: randomBytes(24).toString("hex"),
    OPERATOR_TOKEN: randomBytes(24).toString("hex"),
    TOKEN_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    GIFT_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    PAY_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    BOOK_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    GIFT_BOOK_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    PAYMENT_BOOK_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    AUDITOR_BOOK_KEYS: `bench:${randomBytes(32).toString("base64url")}`,
    // Both sides of a comparison log no line for each request.
    LOG_LEVEL: "warn",
    LOG_FILE: logs.own,
    API_HOST: "127.0.0.1",
    API_PORT: "0",
    IM_HOST: "127.0.0.1",
    IM_PORT: "0",
  };
  Object.assign(process.env, env);
  closing.add(() => dropNamespace(namespace, stack));
  const { servers } = await stackStatus(stack.dir);
  return { logs: logs.folder, env, pids: Object.fromEntries(servers.map(({ name, pid }) => [name, pid])) };
}
