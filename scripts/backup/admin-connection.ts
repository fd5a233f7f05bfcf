import type { Connection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { named } from "./dump-text.ts";

/** What a session of dump and restore begins with. */
export const sessionSettings = [
  "SET NAMES utf8mb4",
  // One connection waits while others load or replay for hours.
  "SET SESSION wait_timeout = 2592000",
  "SET SESSION time_zone = '+00:00', SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
];

/** A connection of an administrator. Values are as they are on the wire. */
export async function openAdmin(url: string, database?: string): Promise<Connection> {
  const connection = await openConnection(url, {
    ...(database === undefined ? {} : { database }),
    supportBigNumbers: true,
    bigNumberStrings: true,
    timezone: "Z",
    charset: "utf8mb4",
    connectTimeout: limits.mysql.connectTimeoutMs,
  });
  // One that the server closes while another works; the next statement rejects.
  connection.on("error", () => {});
  for (const setting of sessionSettings) await connection.query(setting);
  return connection;
}

export async function rowsOf<Row extends object>(
  connection: Connection,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  return rows as unknown as Row[];
}

/** Error codes: no such table, no such database. */
const nothingThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/** Whether a statement failed since its table or database is not there. */
export const isNothingThere = (error: unknown): boolean => nothingThere.has((error as { errno?: unknown }).errno);

/**
 * A service's database for the stores, within the connection's transaction where one runs. It stays the connection's
 * database.
 */
export async function databaseOn(connection: Connection, service: string): Promise<Queryable> {
  await connection.query(`USE ${named(databaseName(service))}`);
  return {
    query: <Row extends object>(sql: string, values?: unknown[]) => rowsOf<Row>(connection, sql, values),
    run: async (sql, values) => (await connection.query<ResultSetHeader>(sql, values))[0],
  };
}

/** The databases whose names begin so. */
export async function databasesOf(connection: Connection, namespace: string): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(
    connection,
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ? ORDER BY schema_name",
    [`${namespace.replaceAll("_", "\\_")}\\_%`],
  );
  return rows.map(({ name }) => name);
}
