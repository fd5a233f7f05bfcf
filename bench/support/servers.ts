import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { dropNamespace } from "../../scripts/drop-namespace.ts";
import { stackStatus, startStack } from "../../scripts/stack/stack.ts";

export interface BenchServers {
  namespace: string;
  /** The environment of a process that belongs to the benchmark's system. */
  env: Record<string, string>;
  /** Process ids of the servers, by what they are. */
  pids: Record<string, number | undefined>;
  /** Drops what the benchmark wrote and ends the servers. */
  close(): Promise<void>;
}

/**
 * Private servers for a benchmark, durable as in earnest (InnoDB flush 1, JetStream on file), and a namespace of its
 * own. Settings are read at the first use, so call this before anything of the product runs in this process.
 */
export async function openServers(progress: (line: string) => void): Promise<BenchServers> {
  const stack = await startStack({
    dir: join(projectRoot(), ".stack/bench"),
    preferredPorts: { nats: 16222, redis: 18379, mysql: 15306 },
    log: progress,
  });
  const namespace = `bench_${randomBytes(4).toString("hex")}`;
  const env: Record<string, string> = {
    NAMESPACE: namespace,
    PROFILE: "local",
    NATS_URL: stack.natsUrl,
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    SMS_PROVIDER: "console",
    CASHIER_SECRET: randomBytes(24).toString("hex"),
    OPERATOR_TOKEN: randomBytes(24).toString("hex"),
    LOG_LEVEL: "warn",
    LOG_FILE: join(stack.dir, "bench.log"),
    API_PORT: "0",
    IM_PORT: "0",
  };
  Object.assign(process.env, env);
  const { servers } = await stackStatus(stack.dir);
  return {
    namespace,
    env,
    pids: Object.fromEntries(servers.map(({ name, pid }) => [name, pid])),
    async close() {
      await dropNamespace(namespace, stack);
      await stack.stop();
    },
  };
}
