import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { roleOf } from "../broker/bus/roles.ts";
import { isServiceName } from "../broker/service-names.ts";
import { readConfigAgain, serviceUrlName } from "../config/config.ts";
import { keySettings, ProcessSettings } from "../config/process-settings.ts";
import type { ServerKind } from "../config/server-urls.ts";
import { providers } from "../services/payment/providers.contract.ts";
import { redisServices, usesRedis } from "../services/redis-access.ts";
import { hasDatabase, prepareDatabases } from "./databases.ts";
import { completeEnv, keptInStackEnv, readStackEnv, writeStackEnv } from "./stack/env-file.ts";
import { ensureNatsLogin } from "./stack/nats-logins.ts";
import { claimFreePort } from "./stack/ports.ts";
import { prepareRedis } from "./stack/redis-logins.ts";
import type { Stack } from "./stack/stack.ts";

export type Env = Record<string, string>;

const ofPayment = providers
  .flatMap(({ settings }) => Object.keys(settings.settings))
  .map((name) => [name, ["payment"]]);
/** Which process gets which variable. */
export const processSettings = new ProcessSettings(Object.fromEntries(ofPayment));

const namespaceOf = (env: NodeJS.ProcessEnv) => env.NAMESPACE || "ovation";

/** A key is made at the first start: what it signed is valid after every restart, on all processes. */
function localKey(stackDir: string, name: (typeof keySettings)[number]): Promise<string> {
  return keptInStackEnv(stackDir, name, () => `local:${randomBytes(32).toString("base64url")}`);
}

/** @throws Error with the names of the secrets that are set and belong to none of the services */
function requireNoForeignSecrets(services: readonly string[], env: NodeJS.ProcessEnv): void {
  const secrets = processSettings.foreign(services, env).filter((name) => processSettings.isSecret(name));
  if (secrets.length === 0) return;
  const lines = secrets.map((name) => {
    const owners = processSettings.ownersOf(name) ?? [];
    return `  ${name}: is for ${owners.length === 0 ? "no service" : `${owners} alone`}`;
  });
  throw new Error(`A node of ${services.join(", ")} must not have these secrets in production:\n${lines.join("\n")}`);
}

/** In the local profile, on the stack's own server: migrates, and completes the environment with the services' logins. */
async function useOwnLogins(services: readonly string[], stackDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const without = services.filter(hasDatabase).filter((service) => !env[serviceUrlName("MYSQL_URL", service)]);
  const adminUrl = readStackEnv(stackDir).MYSQL_ADMIN_URL;
  if (without.length === 0 || env.MYSQL_URL || adminUrl === undefined) return;
  const namespace = namespaceOf(env);
  Object.assign(env, await prepareDatabases({ adminUrl, namespace, services: without, stackDir }));
}

/** In the local profile, on the stack's own Redis: completes the environment with the services' logins. */
async function useOwnRedisLogins(services: readonly string[], stackDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const without = services.filter((service) => !env[serviceUrlName("REDIS_URL", service)]);
  const adminUrl = readStackEnv(stackDir).REDIS_URL;
  if (env.REDIS_URL || adminUrl === undefined) return;
  Object.assign(env, await prepareRedis(stackDir, { adminUrl, namespace: namespaceOf(env), services: without }));
}

/**
 * The settings with which a node of these services logs in to NATS: at the stack's own server logins of its role and
 * its services, at another one what the environment gives.
 */
export async function natsEnv(
  stack: Pick<Stack, "dir" | "natsUrl" | "servers">,
  services: readonly string[],
  given: NodeJS.ProcessEnv = process.env,
): Promise<Env> {
  if (stack.servers.nats === "environment") return { NATS_URL: stack.natsUrl };
  return ownNatsLogins(services, stack.dir, given);
}

/** On the stack's own servers of NATS: how many replicas of a stream they can keep. */
export function replicasEnv(
  stack: Pick<Stack, "dir" | "servers">,
  given: Readonly<Record<string, string | undefined>> = process.env,
): Env {
  const kept = stack.servers.nats === "environment" ? undefined : readStackEnv(stack.dir).JETSTREAM_REPLICAS;
  const replicas = given.JETSTREAM_REPLICAS || kept;
  return replicas === undefined ? {} : { JETSTREAM_REPLICAS: replicas };
}

async function ownNatsLogins(services: readonly string[], stackDir: string, given: NodeJS.ProcessEnv): Promise<Env> {
  const role = roleOf(services.filter(isServiceName));
  const { env } = await ensureNatsLogin(stackDir, { role, namespace: namespaceOf(given) });
  return { ...env };
}

/** On the stack's own server: completes the environment with the logins at NATS of a node with these services. */
async function useOwnNatsLogins(services: readonly string[], stackDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const isGiven = Boolean(env.NATS_URL) || services.every((service) => env[serviceUrlName("NATS_URL", service)]);
  if (isGiven || readStackEnv(stackDir).NATS_ADMIN_URL === undefined) return;
  Object.assign(env, await ownNatsLogins(services, stackDir, env));
}

/**
 * Completes the environment of a node with these services from the stack's folder, and removes all settings that belong
 * to other services. Variables that are set take precedence. In production it refuses secrets of other services. In the
 * local profile the keys that the node needs are made where there are none, and so are the logins at the stack's MySQL,
 * whose databases are migrated; for a node that needs neither nothing is written, since a container cannot write the
 * folder. @throws Error that names the secrets, without values
 */
export async function useNodeEnv(
  services: readonly string[],
  stackDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const kept = readStackEnv(stackDir);
  const profile = env.PROFILE || kept.PROFILE;
  if (profile !== "local") requireNoForeignSecrets(services, env);
  else {
    await useOwnLogins(services, stackDir, env);
    await useOwnRedisLogins(services, stackDir, env);
  }
  await useOwnNatsLogins(services, stackDir, env);
  completeEnv(env, kept, (key) => processSettings.belongsTo(services, key));
  if (profile === "local")
    for (const key of keySettings)
      if (processSettings.belongsTo(services, key)) env[key] ||= await localKey(stackDir, key);
  for (const key of notNeeded(services, env)) delete env[key];
  // The migrations have read the settings before they were complete.
  readConfigAgain();
}

/** The settings of other services, and MYSQL_URL and REDIS_URL where every service that uses them has its own login. */
function notNeeded(services: readonly string[], env: Readonly<Record<string, string | undefined>>): string[] {
  const areOwn = (kind: ServerKind, users: readonly string[]) =>
    users.every((service) => env[serviceUrlName(kind, service)]);
  const haveLogins = [
    ...(areOwn("MYSQL_URL", services.filter(hasDatabase)) ? ["MYSQL_URL"] : []),
    ...(areOwn("REDIS_URL", services.filter(usesRedis)) ? ["REDIS_URL"] : []),
  ];
  const foreign = processSettings.foreign(services, env);
  // A single node of a test or a drill may be given it: then it makes its streams itself.
  const isGivenForOne = env.PROFILE === "local" && env.NATS_URL !== undefined;
  const hidden = isGivenForOne ? foreign.filter((name) => name !== serviceUrlName("NATS_URL", "provisioner")) : foreign;
  return [...hidden, ...haveLogins];
}

/**
 * The settings for a child process with these services. Those of other services are `undefined`, so that the child does
 * not get them from this process's environment either.
 */
export function childEnv(services: readonly string[], settings: Env): Record<string, string | undefined> {
  const hidden = notNeeded(services, { ...process.env, ...settings });
  return { ...settings, ...Object.fromEntries(hidden.map((key) => [key, undefined])) };
}

/**
 * The settings of a system on this machine. Variables of the environment take precedence; the others are the local
 * profile on the stack's servers, whose databases are migrated and where each service gets a login. The ports for
 * clients are chosen here, free ones, since several processes must use the same.
 */
export async function localEnv(stack: Stack, given: NodeJS.ProcessEnv = process.env): Promise<Env> {
  const kept = readStackEnv(stack.dir);
  const taken = new Set<number>();
  const apiPort = given.API_PORT ?? String(await claimFreePort(8088, taken));
  const adminPort = given.ADMIN_PORT ?? String(await claimFreePort(8098, taken));
  const env: Env = {
    PROFILE: given.PROFILE ?? "local",
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    SMS_PROVIDER: given.SMS_PROVIDER ?? "console",
    API_PORT: apiPort,
    API_URL: given.API_URL ?? `http://127.0.0.1:${apiPort}`,
    ADMIN_PORT: adminPort,
    ADMIN_URL: given.ADMIN_URL ?? `http://127.0.0.1:${adminPort}`,
    // Every process of the system uses the same secret, also one that is started later.
    CASHIER_SECRET: given.CASHIER_SECRET ?? kept.CASHIER_SECRET ?? randomBytes(24).toString("hex"),
    CASHIER_BILL_DIR: given.CASHIER_BILL_DIR ?? join(stack.dir, "bills"),
    ...replicasEnv(stack, given),
  };
  for (const name of keySettings) env[name] = given[name] || (await localKey(stack.dir, name));
  const namespace = namespaceOf(given);
  const atRedis = await prepareRedis(stack.dir, { adminUrl: stack.redisUrl, namespace, services: redisServices });
  const atMysql = await prepareDatabases({ adminUrl: stack.mysqlUrl, namespace, stackDir: stack.dir });
  return { ...env, ...atRedis, ...atMysql };
}

/** Writes the system's addresses, for processes that are started later (npm run node, repl, bench). */
export async function publishEnv(stack: Stack, env: Env, imUrl: string): Promise<void> {
  const { PROFILE, API_URL, ADMIN_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER } = env;
  const keys = Object.fromEntries(keySettings.map((name) => [name, env[name]]));
  const kept = { PROFILE, API_URL, ADMIN_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER, ...keys };
  await writeStackEnv(stack.dir, { ...kept, IM_URL: imUrl });
}
