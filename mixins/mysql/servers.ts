import type { Connection, ConnectionOptions, RowDataPacket } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { addressOf, serversOf } from "../../config/server-urls.ts";
import { within } from "../within.ts";

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

/** @throws Error where the server is a node of Galera that serves nobody: it has lost the others, or is joining them */
async function requireInCluster(connection: Connection): Promise<void> {
  const names = Object.keys(clusterStatus);
  const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS WHERE Variable_name IN (?)", [names]);
  for (const { Variable_name: name, Value: value } of rows) {
    // Without a provider, `wsrep_cluster_status` is `Disconnected`, and `wsrep_ready` OFF: it is no cluster.
    if (String(value) === clusterStatus[name]) continue;
    const [[on]] = await connection.query<RowDataPacket[]>("SELECT @@global.wsrep_on AS isOn");
    if (String(on?.isOn) === "1" || String(on?.isOn) === "ON") throw new Error(`${name} is ${value}`);
  }
}

export type Standing = "writable" | "readOnly";

/** Logs in and asks whether it may be used. @throws Error where it does not answer in time, or serves nobody */
async function open(
  server: MysqlServer,
  options: ConnectionOptions,
): Promise<{ connection: Connection; standing: Standing }> {
  const connection = await createConnection({
    ...options,
    uri: server.uri,
    connectTimeout: limits.mysql.serverProbeMs,
  });
  // What breaks it later is seen in what its statements answer.
  connection.on("error", () => {});
  try {
    await within(limits.mysql.serverProbeMs, requireInCluster(connection));
    const isReadOnly = await within(limits.mysql.serverProbeMs, isReadOnlyNow(connection));
    return { connection, standing: isReadOnly ? "readOnly" : "writable" };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** As the server answers a new connection within `limits.mysql.serverProbeMs`. @throws as its error */
export async function standingOf(server: MysqlServer): Promise<Standing> {
  const { connection, standing } = await open(server, {});
  connection.destroy();
  return standing;
}

/** A tool's connection to the server that services would use. @throws Error of the last server where none is reachable */
export async function openConnection(url: string, options: ConnectionOptions = {}): Promise<Connection> {
  const servers = mysqlServers(url);
  const [only] = servers;
  if (servers.length === 1) return createConnection({ ...options, uri: only.uri });
  let [readable, failure]: [Connection | undefined, unknown] = [undefined, undefined];
  for (const server of servers) {
    try {
      const { connection, standing } = await open(server, options);
      if (standing === "writable") {
        readable?.destroy();
        return connection;
      }
      if (readable) connection.destroy();
      else readable = connection;
    } catch (error) {
      failure = error;
    }
  }
  if (readable) return readable;
  throw failure;
}
