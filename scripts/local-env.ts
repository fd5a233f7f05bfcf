import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keptInStackEnv, keySettings, readStackEnv, useStackEnv, writeStackEnv } from "./stack/env-file.ts";
import { claimFreePort } from "./stack/ports.ts";
import type { Stack } from "./stack/stack.ts";

export type Env = Record<string, string>;

type KeySetting = (typeof keySettings)[number];

/** The services that sign or verify with each of the keys. */
const keyServices: Readonly<Record<KeySetting, readonly string[]>> = {
  TOKEN_KEYS: ["user", "api-gateway"],
  GIFT_KEYS: ["gift"],
  PAY_KEYS: ["payment", "wallet"],
};

/** A key that is made at the first start: what it signed is valid after every restart, on all processes of the system. */
function localKeys(stackDir: string, name: KeySetting): Promise<string> {
  return keptInStackEnv(stackDir, name, () => `local:${randomBytes(32).toString("base64url")}`);
}

/**
 * Completes the environment of a node with these services, as useStackEnv. In the local profile keys are made where the
 * node needs them and has none; for no other node is anything written, since a container cannot write the folder.
 */
export async function useNodeEnv(
  services: readonly string[],
  stackDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const needed = keySettings.filter((name) => keyServices[name].some((service) => services.includes(service)));
  useStackEnv(stackDir, env, needed);
  if (env.PROFILE !== "local") return;
  for (const name of needed) env[name] ||= await localKeys(stackDir, name);
}

/**
 * The settings of a system on this machine. Variables of the environment take precedence; the others are the local
 * profile on the stack's servers. The ports for clients are chosen here, free ones, since several processes must use
 * the same.
 */
export async function localEnv(stack: Stack, given: NodeJS.ProcessEnv = process.env): Promise<Env> {
  const kept = readStackEnv(stack.dir);
  const apiPort = given.API_PORT ?? String(await claimFreePort(8088, new Set()));
  const env: Env = {
    PROFILE: given.PROFILE ?? "local",
    NATS_URL: stack.natsUrl,
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    SMS_PROVIDER: given.SMS_PROVIDER ?? "console",
    API_PORT: apiPort,
    API_URL: given.API_URL ?? `http://127.0.0.1:${apiPort}`,
    // Every process of the system uses the same secret, also one that is started later.
    CASHIER_SECRET: given.CASHIER_SECRET ?? kept.CASHIER_SECRET ?? randomBytes(24).toString("hex"),
    CASHIER_BILL_DIR: given.CASHIER_BILL_DIR ?? join(stack.dir, "bills"),
  };
  for (const name of keySettings) env[name] = given[name] || (await localKeys(stack.dir, name));
  return env;
}

/** Writes the system's addresses, for processes that are started later (npm run node, repl, bench). */
export async function publishEnv(stack: Stack, env: Env, imUrl: string): Promise<void> {
  const { PROFILE, API_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER } = env;
  const keys = Object.fromEntries(keySettings.map((name) => [name, env[name]]));
  const kept = { PROFILE, API_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER, ...keys };
  await writeStackEnv(stack.dir, { ...kept, IM_URL: imUrl });
}
