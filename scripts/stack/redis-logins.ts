import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { natsUser } from "../../broker/nats-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { placesOf, readableServersOf, sentinelsOf, withLogin } from "../../config/server-urls.ts";
import { redisOf } from "../../mixins/redis/address.ts";
import { redisRules, redisServices } from "../../services/redis-access.ts";
import { changeStackEnv, readStackEnv } from "./env-file.ts";
import { readIfThere, replaceFile } from "./files.ts";
import { keptPorts, members } from "./ha/ports.ts";
import { withLock } from "./lock.ts";
import { LOOPBACK } from "./ports.ts";

/**
 * The services' logins at the private Redis, which forgets them when it ends: they are kept beside its configuration,
 * which has them at the next start.
 */

/** How long a server may take to answer an administrator, ms. */
const answerMs = 5000;

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
  await setUsers(stackDir, adminUrl, rules);
  return urls;
}

/** Each server at a URL of the stack. Replicas do not copy users. */
function serverUrls(stackDir: string, adminUrl: string): string[] {
  const ports = sentinelsOf(adminUrl) && keptPorts(stackDir);
  if (ports === undefined) return [adminUrl];
  const login = `default:${adminPassword(join(stackDir, "redis"))}`;
  return members.map((n) => `redis://${login}@${LOOPBACK}:${ports[`redis-${n}`]}`);
}

/** Runs the task on the servers that answer: the others read their users when they start. Rejects where none answers. */
async function onEach(urls: readonly string[], task: (redis: Redis) => Promise<void>): Promise<void> {
  const servers = urls.map((url) => {
    const redis = redisOf(url, {
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      connectTimeout: answerMs,
      commandTimeout: answerMs,
    });
    // It is the reason why `connect` or the command rejects, too.
    redis.on("error", () => {});
    return redis;
  });
  try {
    const connecting = await Promise.allSettled(servers.map((redis) => redis.connect()));
    const connected = servers.filter((_redis, i) => connecting[i]?.status === "fulfilled");
    if (connected.length === 0) throw (connecting[0] as PromiseRejectedResult).reason;
    await Promise.all(connected.map(task));
  } finally {
    for (const redis of servers) redis.disconnect();
  }
}

const setRules = async (redis: Redis, rules: KeptUsers) => {
  for (const [name, own] of Object.entries(rules)) await redis.acl("SETUSER", name, ...own);
};

function setUsers(stackDir: string, adminUrl: string, rules: KeptUsers): Promise<void> {
  const redisDir = join(stackDir, "redis");
  return locked(redisDir, async () => {
    mkdirSync(redisDir, { recursive: true, mode: 0o700 });
    replaceFile(usersFile(redisDir), `${JSON.stringify({ ...readUsers(redisDir), ...rules }, null, 1)}\n`);
    await onEach(serverUrls(stackDir, adminUrl), (redis) => setRules(redis, rules));
  });
}

/** Gives all kept logins to a server that was silent when some of them were made. */
export function restoreUsers(redisDir: string, port: number): Promise<void> {
  const url = `redis://default:${adminPassword(redisDir)}@${LOOPBACK}:${port}`;
  return locked(redisDir, () => onEach([url], (redis) => setRules(redis, readUsers(redisDir))));
}

/** Removes the logins of a namespace at the stack's Redis of that URL. */
export function removeRedisLogins(stackDir: string, adminUrl: string, namespace: string): Promise<void> {
  const redisDir = join(stackDir, "redis");
  const names = redisServices.map((service) => redisUser(namespace, service));
  return locked(redisDir, async () => {
    const left = Object.entries(readUsers(redisDir)).filter(([name]) => !names.includes(name));
    replaceFile(usersFile(redisDir), `${JSON.stringify(Object.fromEntries(left), null, 1)}\n`);
    await onEach(serverUrls(stackDir, adminUrl), async (redis) => void (await redis.acl("DELUSER", ...names)));
  });
}
