import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect, ErrorCode, type NatsConnection } from "nats";
import { connectNats } from "../broker/nats-connect.ts";
import { inboxPrefixOf, mirrorUserOf, natsUser } from "../broker/nats-names.ts";
import { natsOptions } from "../broker/nats-options.ts";
import { openConnection } from "../mixins/mysql/servers.ts";
import { redisOf } from "../mixins/redis/address.ts";
import { databaseServices } from "./databases.ts";
import { loginName } from "./stack/mysql-logins.ts";
import type { Stack } from "./stack/stack.ts";

/** Removes everything of a namespace from the servers: databases and their logins, streams, keys. Never the default namespace. */
export async function dropNamespace(
  namespace: string,
  servers: Pick<Stack, "natsUrl" | "redisUrl" | "mysqlUrl">,
): Promise<void> {
  if (namespace === "ovation") throw new Error("the namespace ovation is not for dropping");
  await Promise.all([
    dropDatabases(namespace, servers.mysqlUrl),
    dropStreams(namespace, servers.natsUrl),
    dropKeys(namespace, servers.redisUrl),
  ]);
}

async function dropDatabases(namespace: string, url: string): Promise<void> {
  const connection = await openConnection(url);
  const pattern = `${namespace.replaceAll("_", "\\_")}\\_%`;
  const [rows] = await connection.query(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ?",
    [pattern],
  );
  for (const { name } of rows as { name: string }[]) await connection.query(`DROP DATABASE \`${name}\``);
  const logins = databaseServices.map((service) => loginName(namespace, service));
  await connection.query(`DROP USER IF EXISTS ${logins.map(() => "?@'%'").join(", ")}`, logins);
  await connection.end();
}

async function dropStreams(namespace: string, url: string): Promise<void> {
  const options = natsOptions("drop-namespace", url);
  const connection = await connectNats(options);
  // Of several servers the same: another one may be down, and its error hide that the login is refused.
  const servers = connection.getServer();
  await dropStreamsOf(namespace, connection);
  const mirrors = await connectToMirror(namespace, { ...options, servers });
  if (mirrors) await dropStreamsOf(namespace, mirrors);
}

/** In the account of the namespace's readers of EVENTS; `undefined` where it has none. */
async function connectToMirror(namespace: string, options: ConnectionOptions): Promise<NatsConnection | undefined> {
  if (options.user === undefined) return undefined;
  const user = mirrorUserOf(natsUser("admin", namespace));
  return connect({ ...options, user, inboxPrefix: inboxPrefixOf(user) }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === ErrorCode.AuthorizationViolation) return undefined;
    throw error;
  });
}

/** A cluster elects leaders after a server of it has come back, and does not answer meanwhile. */
const answerWithinMs = 30_000;
const unanswered: ReadonlySet<unknown> = new Set([ErrorCode.Timeout, ErrorCode.NoResponders]);

async function dropStreamsOf(namespace: string, connection: NatsConnection): Promise<void> {
  const until = Date.now() + answerWithinMs;
  const drop = async (): Promise<void> => {
    const manager = await connection.jetstreamManager();
    const names: string[] = [];
    for await (const stream of manager.streams.list()) names.push(stream.config.name);
    for (const name of names) if (name.startsWith(`${namespace}_`)) await manager.streams.delete(name);
  };
  for (;;)
    try {
      await drop();
      break;
    } catch (error) {
      if (!unanswered.has((error as { code?: unknown }).code) || Date.now() > until) throw error;
      await pause(100);
    }
  await connection.close();
}

/** Removes every Redis key of a namespace, also while its system runs, which must work without them. */
export async function dropKeys(namespace: string, url: string): Promise<void> {
  const redis = redisOf(url);
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", `${namespace}:*`, "COUNT", 1000);
    if (keys.length > 0) await redis.del(keys);
    cursor = next;
  } while (cursor !== "0");
  redis.disconnect();
}
