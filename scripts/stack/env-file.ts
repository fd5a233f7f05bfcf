import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { keySettings } from "../../config/process-settings.ts";
import { readIfThere, replaceFile } from "./files.ts";
import { withLock } from "./lock.ts";

/**
 * KEY to value, as in `.stack/env`: NATS_URL, REDIS_URL, MYSQL_URL, MYSQL_ADMIN_URL, API_URL, ADMIN_URL, IM_URL,
 * PROFILE, the services' own logins (<SERVICE>_MYSQL_URL) and keys.
 */
type StackEnv = Record<string, string>;

const KEY = /^[A-Z][A-Z0-9_]*$/;

/**
 * Whether a key of the file is a URL of one of the private servers, whoever may log in with it, or what several servers
 * need.
 */
export function isOfServers(key: string): boolean {
  return key === "JETSTREAM_REPLICAS" || /(^|_)(NATS|MYSQL|REDIS)(_BUS)?(_ADMIN)?_URL$/.test(key);
}

const HEADER = "# Where this checkout's running system is. Written by scripts; it holds passwords and keys.";

/**
 * The values of `env` in the stack's folder; empty where there is no such file. Throws on a line that is not KEY=VALUE.
 */
export function readStackEnv(dir: string): StackEnv {
  const file = join(dir, "env");
  return parse(readIfThere(file) ?? "", file);
}

/**
 * Completes the environment of a person's command with the values of `env` in the stack's folder; variables that are
 * set take precedence. Keys are removed: no command signs, and whoever has them can log in as anybody.
 */
export function useStackEnv(dir: string, env = process.env): void {
  completeEnv(env, readStackEnv(dir), () => true);
  for (const key of keySettings) delete env[key];
}

/**
 * Adds the kept values that are `wanted` and not set. Where MYSQL_URL, NATS_URL or REDIS_URL is set, the other logins at that
 * server are not added: they may be of another server.
 */
export function completeEnv(env: NodeJS.ProcessEnv, kept: StackEnv, wanted: (key: string) => boolean): void {
  const given = {
    MYSQL: Boolean(env.MYSQL_URL),
    NATS: Boolean(env.NATS_URL),
    REDIS: Boolean(env.REDIS_URL),
  };
  for (const [key, value] of Object.entries(kept)) {
    const server = /(?:^|_)(NATS|MYSQL|REDIS)(?:_BUS)?(?:_ADMIN)?_URL$/.exec(key)?.[1] as
      | keyof typeof given
      | undefined;
    const elsewhere = server !== undefined && given[server];
    if (wanted(key) && !elsewhere) env[key] ??= value;
  }
}

/**
 * Merges the values into `env` in the stack's folder; `undefined` removes a key. The file is replaced in one step, and
 * concurrent writers lose no keys. Throws where a key or value cannot be written to the file.
 */
export async function writeStackEnv(dir: string, values: Record<string, string | undefined>): Promise<void> {
  await changeStackEnv(dir, () => values);
}

/** The value of a key; where it has none, that of `make` is written first. Concurrent callers get the same value. */
export async function keptInStackEnv(dir: string, key: string, make: () => string): Promise<string> {
  const env = await changeStackEnv(dir, (kept) => ({ [key]: kept[key] ?? make() }));
  return env[key] as string;
}

/** As writeStackEnv, with values that depend on the kept ones. Returns all values. */
export async function changeStackEnv(dir: string, change: (kept: StackEnv) => Record<string, string | undefined>) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return withLock(dir, "env", { deadlineMs: 10_000 }, () => {
    const kept = readStackEnv(dir);
    const values = change(kept);
    requireWritable(values);
    const merged: Record<string, string | undefined> = { ...kept, ...values };
    const lines = Object.entries(merged)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value}`);
    replaceFile(join(dir, "env"), `${[HEADER, ...lines].join("\n")}\n`);
    return merged;
  });
}

function requireWritable(values: Record<string, string | undefined>): void {
  for (const [key, value] of Object.entries(values)) {
    if (!KEY.test(key)) throw new Error(`"${key}" cannot be a key of the stack's env file: use A-Z, 0-9 and _`);
    if (value !== undefined && /[\r\n]/.test(value)) throw new Error(`the value of ${key} holds a line break`);
  }
}

function parse(text: string, file: string): StackEnv {
  const values: StackEnv = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const key = line.slice(0, equals);
    if (equals < 0 || !KEY.test(key)) {
      throw new Error(`${file}, line ${index + 1} is not KEY=VALUE; correct it or delete the file and start again`);
    }
    values[key] = line.slice(equals + 1);
  }
  return values;
}
