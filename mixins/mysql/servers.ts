import type { Socket } from "node:net";
import { createConnection as createCoreConnection } from "mysql2";
import type { Connection, ConnectionOptions, RowDataPacket } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAnswers } from "../../broker/after-answers.ts";
import { limits } from "../../config/limits.ts";
import { addressOf, serversOf } from "../../config/server-urls.ts";

/** The servers that a URL of MySQL names, and which of them are usable. */

export interface MysqlServer {
  /** As the driver takes it. */
  readonly uri: string;
  /** host:port, for people. */
  readonly place: string;
  readonly host: string;
  readonly port: number;
}

/** In the order of the URL. */
export function mysqlServers(url: string): readonly [MysqlServer, ...MysqlServer[]] {
  const [first, ...others] = serversOf(url).map((one) => ({
    uri: one.href.replace(/^mariadb:/, "mysql:"),
    place: `${one.hostname}:${addressOf(one).port}`,
    ...addressOf(one),
  }));
  return [first as MysqlServer, ...others];
}

const readOnlyQuery = "SELECT @@global.read_only AS readOnly, @@global.innodb_read_only AS innodbReadOnly";
const off: ReadonlySet<string> = new Set(["0", "OFF"]);

/** Whether the connection's server accepts no writes. */
export async function isReadOnlyNow(connection: Pick<Connection, "query">): Promise<boolean> {
  const [[row]] = await connection.query<RowDataPacket[]>(readOnlyQuery);
  return !Object.values(row ?? {}).every((value) => off.has(String(value)));
}

/** What a node of Galera must say; other servers have no such status. */
const clusterStatus: Readonly<Record<string, string>> = { wsrep_ready: "ON", wsrep_cluster_status: "Primary" };
/** `wsrep_local_state` of a node that has all transactions. 2: it gives another one a copy, or was desynchronised. */
const synced = "4";

/**
 * Whether the server is a node of Galera that is not Synced. @throws Error where it is one that serves nobody: it has
 * lost the others, or is joining them
 */
async function isBehindCluster(connection: Connection): Promise<boolean> {
  const names = [...Object.keys(clusterStatus), "wsrep_local_state"];
  const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS WHERE Variable_name IN (?)", [names]);
  const status = new Map(rows.map(({ Variable_name: name, Value: value }) => [String(name), String(value)]));
  const wrong = Object.keys(clusterStatus).find((name) => status.has(name) && status.get(name) !== clusterStatus[name]);
  const state = status.get("wsrep_local_state");
  if (wrong === undefined && (state === undefined || state === synced)) return false;
  // Without a provider, `wsrep_cluster_status` is `Disconnected`, and `wsrep_ready` OFF: it is no cluster.
  const [[on]] = await connection.query<RowDataPacket[]>("SELECT @@global.wsrep_on AS isOn");
  if (off.has(String(on?.isOn))) return false;
  if (wrong !== undefined) throw new Error(`${wrong} is ${status.get(wrong)}`);
  return true;
}

/** `notSynced`: a node of Galera that takes writes, but is behind the others or gives one of them a copy. */
export type Standing = "writable" | "readOnly" | "notSynced";

/**
 * What a server answers. `full`: it is there, and lets no more connections in. `slow`: it has greeted the connection, and
 * said no more in time.
 */
export type Answered = Standing | "full" | "slow";

/** Errors of a server that lets no more connections in: ER_CON_COUNT, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED. */
const noMoreConnections: ReadonlySet<unknown> = new Set([1040, 1203, 1226]);

interface Opened {
  /** `undefined` where it is full or slow. */
  readonly connection: Connection | undefined;
  readonly answered: Answered;
  /** Why there is no connection. */
  readonly failure: unknown;
}

async function standingAt(connection: Connection): Promise<Standing> {
  const isBehind = await isBehindCluster(connection);
  if (await isReadOnlyNow(connection)) return "readOnly";
  return isBehind ? "notSynced" : "writable";
}

/**
 * Logs in and asks whether it may be used, all within `limits.mysql.serverProbeMs`. @throws Error where it says nothing
 * in time, or serves nobody
 */
async function open(server: MysqlServer, options: ConnectionOptions): Promise<Opened> {
  const core = createCoreConnection({ ...options, uri: server.uri });
  // What breaks it later is seen in what its statements answer.
  core.on("error", () => {});
  const connected = Promise.withResolvers<void>();
  core.once("connect", () => connected.resolve());
  core.once("error", connected.reject);
  const late = Promise.withResolvers<never>();
  const { serverProbeMs } = limits.mysql;
  let isLate = false;
  const callOff = afterAnswers(serverProbeMs, () => {
    isLate = true;
    late.reject(new Error(`no answer within ${serverProbeMs} ms`));
  });
  const connection = core.promise() as unknown as Connection;
  try {
    const asked = connected.promise.then(() => standingAt(connection));
    return { connection, answered: await Promise.race([asked, late.promise]), failure: undefined };
  } catch (failure) {
    const { stream } = core as unknown as { stream: Socket };
    const hasGreeted = stream.bytesRead > 0;
    core.destroy();
    if (noMoreConnections.has((failure as { errno?: unknown }).errno))
      return { connection: undefined, answered: "full", failure };
    if (isLate && hasGreeted) return { connection: undefined, answered: "slow", failure };
    throw failure;
  } finally {
    callOff();
  }
}

/** As the server answers a new connection. @throws as its error */
export async function standingOf(server: MysqlServer): Promise<Answered> {
  const { connection, answered } = await open(server, {});
  connection?.destroy();
  return answered;
}

/**
 * A tool's connection to the server that services would use. A server that is full or slow is the services' all the same,
 * so no other one is taken for it. @throws Error of that server, or of the last one where none is reachable
 */
export async function openConnection(url: string, options: ConnectionOptions = {}): Promise<Connection> {
  const servers = mysqlServers(url);
  const [only] = servers;
  if (servers.length === 1) return createConnection({ ...options, uri: only.uri });
  let [lesser, failure]: [Connection | undefined, unknown] = [undefined, undefined];
  for (const server of servers) {
    let opened: Opened;
    try {
      opened = await open(server, options);
    } catch (error) {
      failure = error;
      continue;
    }
    const { connection, answered } = opened;
    if (answered === "writable" || !connection) {
      lesser?.destroy();
      if (!connection) throw opened.failure;
      return connection;
    }
    if (lesser) connection.destroy();
    else lesser = connection;
  }
  if (lesser) return lesser;
  throw failure;
}
