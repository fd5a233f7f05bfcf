import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { natsUser } from "../../broker/nats-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { placesOf, readableServersOf, withLogin } from "../../config/server-urls.ts";
import { redisOf } from "../../mixins/redis/address.ts";
import { redisRules, redisServices } from "../../services/redis-access.ts";
import { changeStackEnv, readStackEnv } from "./env-file.ts";
import { readIfThere, replaceFile } from "./files.ts";
import { withLock } from "./lock.ts";

/**
 * The services' logins at the private Redis, which forgets them when it ends: they are kept beside its configuration,
 * which has them at the next start.
 */

/** User name to the rules of `ACL SETUSER`, with a hash of the password. */
type KeptUsers = Record<string, string[]>;

const usersFile = (redisDir: string) => join(redisDir, "users.json");
const passwordFile = (redisDir: string) => join(redisDir, "password");
const locked = <T>(redisDir: string, task: () => Promise<T> | T) =>
  withLock(redisDir, "users", { deadlineMs: 30_000 }, task);

function readUsers(redisDir: string): KeptUsers {
  return JSON.parse(readIfThere(usersFile(redisDir)) ?? "{}") as KeptUsers;
}

/** The administrator's password: made at its first use, kept in the server's folder. */
export function adminPassword(redisDir: string): string {
  const known = readIfThere(passwordFile(redisDir))?.trim();
  if (known) return known;
  mkdirSync(redisDir, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString("base64url");
  replaceFile(passwordFile(redisDir), `${password}\n`);
  return password;
}

/** The lines of the server's configuration with its users: the administrator is the default user. */
export function userLines(redisDir: string): string[] {
  const admin = ["on", `>${adminPassword(redisDir)}`, "~*", "&*", "+@all"];
  const users = [
    ["default", ...admin],
    ...Object.entries(readUsers(redisDir)).map(([name, rules]) => [name, ...rules]),
  ];
  return users.map((user) => `user ${user.join(" ")}`);
}

/** The name of a service's login at Redis, as at NATS. */
export const redisUser = (namespace: string, service: string) => natsUser(service, namespace);

function rulesOf(namespace: string, service: string, password: string): string[] {
  const hash = createHash("sha256").update(password).digest("hex");
  return ["reset", "on", `#${hash}`, ...redisRules(service, namespace)];
}

/**
 * The services' own URLs of the stack's Redis at `adminUrl`, by variable, which work when it resolves; none where
 * `adminUrl` is of another server, on which nothing is changed. Passwords are made at the first use and kept in the
 * stack's env file.
 */
export async function prepareRedis(
  stackDir: string,
  { adminUrl, namespace, services }: { adminUrl: string; namespace: string; services: readonly string[] },
): Promise<Record<string, string>> {
  const wanted = redisServices.filter((service) => services.includes(service));
  if (wanted.length === 0 || readStackEnv(stackDir).REDIS_URL !== adminUrl) return {};
  const urls: Record<string, string> = {};
  const rules: KeptUsers = {};
  await changeStackEnv(stackDir, (kept) => {
    for (const service of wanted) {
      const variable = serviceUrlName("REDIS_URL", service);
      const before = kept[variable] ?? "";
      const [former] = readableServersOf(before);
      const user = redisUser(namespace, service);
      const isSame = former && decodeURIComponent(former.username) === user && placesOf(before) === placesOf(adminUrl);
      const password = (isSame && former.password) || randomBytes(24).toString("base64url");
      urls[variable] = withLogin(adminUrl, { username: user, password });
      rules[user] = rulesOf(namespace, service, password);
    }
    return urls;
  });
  await setUsers(join(stackDir, "redis"), adminUrl, rules);
  return urls;
}

async function asAdmin(adminUrl: string, task: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = redisOf(adminUrl, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  try {
    await redis.connect();
    await task(redis);
  } finally {
    redis.disconnect();
  }
}

function setUsers(redisDir: string, adminUrl: string, rules: KeptUsers): Promise<void> {
  return locked(redisDir, async () => {
    mkdirSync(redisDir, { recursive: true, mode: 0o700 });
    replaceFile(usersFile(redisDir), `${JSON.stringify({ ...readUsers(redisDir), ...rules }, null, 1)}\n`);
    await asAdmin(adminUrl, async (redis) => {
      for (const [name, own] of Object.entries(rules)) await redis.acl("SETUSER", name, ...own);
    });
  });
}

/** Removes the logins of a namespace at the stack's Redis of that URL. */
export function removeRedisLogins(stackDir: string, adminUrl: string, namespace: string): Promise<void> {
  const redisDir = join(stackDir, "redis");
  const names = redisServices.map((service) => redisUser(namespace, service));
  return locked(redisDir, async () => {
    const left = Object.entries(readUsers(redisDir)).filter(([name]) => !names.includes(name));
    replaceFile(usersFile(redisDir), `${JSON.stringify(Object.fromEntries(left), null, 1)}\n`);
    await asAdmin(adminUrl, async (redis) => void (await redis.acl("DELUSER", ...names)));
  });
}
