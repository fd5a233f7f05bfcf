import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { serviceNames } from "../../broker/service-names.ts";
import { readConfigAgain } from "../../config/config.ts";
import { keySettings } from "../../config/process-settings.ts";
import { projectRoot } from "../../config/root.ts";
import { prepareDatabases } from "../../scripts/databases.ts";
import { dropNamespace } from "../../scripts/drop-namespace.ts";
import { childEnv, natsEnv, replicasEnv } from "../../scripts/local-env.ts";
import { removeNatsLogins } from "../../scripts/stack/nats-logins.ts";
import { prepareRedis, removeRedisLogins } from "../../scripts/stack/redis-logins.ts";
import { stackStatus, startStack } from "../../scripts/stack/stack.ts";
import type { Closing } from "./closing.ts";

/** What a process gets of the environment; `undefined` removes a variable of this process. */
export type ProcessEnv = Record<string, string | undefined>;

export interface BenchServers {
  /** The folder of the processes' logs: in the benchmarks' own folder those of the last run alone. */
  logs: string;
  /** The environment for processes of the benchmark that are no node of the system: with the administrators' logins. */
  env: ProcessEnv;
  /** The environment for a node with these services, or `all`: with their logins and settings and no others. */
  envOf(services: readonly string[]): Promise<ProcessEnv>;
  /** Process ids of the servers by their kind; `undefined` for one in a container. */
  pids: Record<string, number | undefined>;
}

export const benchDir = (): string => join(projectRoot(), ".stack/bench");

const logsKeptMs = 24 * 3_600_000;

/** Removes the logs of former runs from the folder. */
function removeOld(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const run = join(folder, name);
    if (Date.now() - statSync(run).mtimeMs > logsKeptMs) rmSync(run, { recursive: true, force: true });
  }
}

export interface ServerOptions {
  /** By default the benchmarks' own. */
  dir?: string | undefined;
  /** Three servers of each kind, where none runs in the folder. */
  ha?: boolean;
  /** Beside those of every system that is measured. */
  settings?: Readonly<Record<string, string>>;
}

/**
 * Starts private servers for a benchmark in the folder `dir`, durable as in production (InnoDB flush 1, JetStream on
 * file), or adopts those that run there, with a namespace of their own; URLs in the environment are ignored. From then
 * on this process is a node with every service: config() has its settings, and services log in as themselves. Call it
 * before anything of the product keeps a setting.
 */
export async function openServers(
  progress: (line: string) => void,
  closing: Closing,
  { dir = benchDir(), ha = false, settings: more = {} }: ServerOptions = {},
): Promise<BenchServers> {
  for (const name of Object.keys(process.env))
    if (/(^|_)(NATS|REDIS|MYSQL)(_BUS|_ADMIN)*_URL$/.test(name)) delete process.env[name];
  const stack = await startStack({
    dir,
    ha,
    preferredPorts: { nats: 16222, redis: 18379, mysql: 15306, ha: 19100 },
    log: progress,
    env: process.env,
  });
  closing.add(() => stack.stop());
  const namespace = `bench_${randomBytes(4).toString("hex")}`;
  const isOwn = dir === benchDir();
  // On servers of others several benchmarks may run at once.
  const logs = isOwn ? join(stack.dir, "logs") : join(stack.dir, "bench-logs", namespace);
  if (isOwn) rmSync(logs, { recursive: true, force: true });
  else removeOld(dirname(logs));
  const ownLog = join(logs, "bench.log");
  const settings: Record<string, string> = {
    NAMESPACE: namespace,
    PROFILE: "local",
    STACK_DIR: stack.dir,
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    ...replicasEnv(stack),
    SMS_PROVIDER: "console",
    // Gifts are counted, as in production, and none is refused for its number.
    GIFTS_PER_USER_PER_SECOND: "10000",
    // Everybody logs in from one address.
    LOGIN_FAILURES_PER_IP_PER_MINUTE: "0",
    LOGIN_CODES_PER_PHONE_PER_DAY: "0",
    RECONCILE_AT: "off",
    CASHIER_SECRET: randomBytes(24).toString("hex"),
    OPERATOR_TOKEN: randomBytes(24).toString("hex"),
    ...Object.fromEntries(keySettings.map((name) => [name, `bench:${randomBytes(32).toString("base64url")}`])),
    // Both sides of a comparison log no line for each request.
    LOG_LEVEL: "warn",
    LOG_FILE: ownLog,
    API_HOST: "127.0.0.1",
    API_PORT: "0",
    ADMIN_HOST: "127.0.0.1",
    ADMIN_PORT: "0",
    IM_HOST: "127.0.0.1",
    IM_PORT: "0",
    ...more,
  };
  closing.add(() => removeNatsLogins(stack.dir, namespace));
  closing.add(() => removeRedisLogins(stack.dir, stack.redisUrl, namespace));
  closing.add(() => dropNamespace(namespace, stack));
  const loginsOf = (services: readonly string[]) => natsEnv(stack, services, { NAMESPACE: namespace });
  progress("a login for each service");
  const atMysql = await prepareDatabases({ adminUrl: stack.mysqlUrl, namespace, stackDir: stack.dir });
  const login = { adminUrl: stack.redisUrl, namespace, services: serviceNames };
  const atRedis = await prepareRedis(stack.dir, login);
  const env = { ...settings, ...atMysql, ...atRedis, ...(await loginsOf(serviceNames)), NATS_ADMIN_URL: stack.natsUrl };
  Object.assign(process.env, env);
  readConfigAgain();
  const { servers } = await stackStatus(stack.dir);
  return {
    logs,
    env,
    async envOf(names) {
      const services = names.includes("all") ? serviceNames : names;
      return childEnv(services, { ...settings, ...atMysql, ...atRedis, ...(await loginsOf(services)) });
    },
    pids: Object.fromEntries(servers.map(({ name, pid }) => [name, pid])),
  };
}
