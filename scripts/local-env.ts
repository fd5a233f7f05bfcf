import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keptInStackEnv, readStackEnv, serviceKeys, useStackEnv, writeStackEnv } from "./stack/env-file.ts";
import { claimFreePort } from "./stack/ports.ts";
import type { Stack } from "./stack/stack.ts";

export type Env = Record<string, string>;

type KeySetting = (typeof serviceKeys)[number];

/** The services that need each of the keys. */
const keyServices: Readonly<Record<KeySetting, readonly string[]>> = {
  TOKEN_KEYS: ["user", "api-gateway"],
  BOOK_KEYS: ["wallet", "auditor"],
};

/** Keys that are made at the first start: they outlive every restart, on all processes of the system. */
function localKeys(stackDir: string, setting: KeySetting): Promise<string> {
  return keptInStackEnv(stackDir, setting, () => `local:${randomBytes(32).toString("base64url")}`);
}

/**
 * Completes the environment of a node with these services, as useStackEnv, with the keys that these services need. In
 * the local profile keys are made where the node needs them and has none; for no other node is anything written, since a
 * container cannot write the folder.
 */
export async function useNodeEnv(
  services: readonly string[],
  stackDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const needed = serviceKeys.filter((setting) => services.some((name) => keyServices[setting].includes(name)));
  useStackEnv(stackDir, env, needed);
  if (env.PROFILE === "local") for (const setting of needed) env[setting] ||= await localKeys(stackDir, setting);
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
    TOKEN_KEYS: given.TOKEN_KEYS || (await localKeys(stack.dir, "TOKEN_KEYS")),
    BOOK_KEYS: given.BOOK_KEYS || (await localKeys(stack.dir, "BOOK_KEYS")),
    CASHIER_BILL_DIR: given.CASHIER_BILL_DIR ?? join(stack.dir, "bills"),
  };
  return env;
}

/** Writes the system's addresses, for processes that are started later (npm run node, repl, bench). */
export async function publishEnv(stack: Stack, env: Env, imUrl: string): Promise<void> {
  const { PROFILE, API_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER, TOKEN_KEYS, BOOK_KEYS } = env;
  const kept = { PROFILE, API_URL, CASHIER_SECRET, CASHIER_BILL_DIR, SMS_PROVIDER, TOKEN_KEYS, BOOK_KEYS };
  await writeStackEnv(stack.dir, { ...kept, IM_URL: imUrl });
}
