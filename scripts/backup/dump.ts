import { join } from "node:path";
import type { Connection as RawConnection } from "mysql2";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { CompressedLines, type FileSum, sumOf } from "./backup-file.ts";
import { type DumpedColumn, Inserts, literalKindOf, named, oneLine } from "./dump-text.ts";

/**
 * All databases of a server as SQL, as of one moment: one transaction reads them all, without a lock that a writer would
 * wait for. It needs no program of the server's packages.
 */

/** Where a server's log of changes was at the moment of the snapshot. */
export interface BinlogPosition {
  readonly file: string;
  readonly position: number;
  /** MariaDB's GTID position, or MySQL's set of executed GTIDs. */
  readonly gtid: string;
  /** False: changes after this position may be in the dump already. */
  readonly exact: boolean;
}

export interface DumpedDatabase extends FileSum {
  readonly database: string;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

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

/** The databases whose names begin so. */
export async function databasesOf(connection: Connection, namespace: string): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(
    connection,
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ? ORDER BY schema_name",
    [`${namespace.replaceAll("_", "\\_")}\\_%`],
  );
  return rows.map(({ name }) => name);
}

const values = async (connection: Connection, sql: string): Promise<string[]> =>
  (await rowsOf(connection, sql)).map((row) => String(Object.values(row)[1] ?? ""));

/** The position that belongs to the snapshot of this transaction exactly: MariaDB keeps it, where its log is on. */
async function exactPosition(connection: Connection): Promise<BinlogPosition | undefined> {
  const [file, position] = await values(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'").catch(() => []);
  if (!file || !position) return undefined;
  const [row] = await rowsOf<{ gtid: string }>(connection, "SELECT BINLOG_GTID_POS(?, ?) AS gtid", [
    ...[file, Number(position)],
  ]);
  return { file, position: Number(position), gtid: row?.gtid ?? "", exact: true };
}

/** The position before the snapshot; `undefined` where the server keeps no log. */
async function positionBefore(connection: Connection): Promise<BinlogPosition | undefined> {
  // The statement was renamed; one of them is known.
  for (const sql of ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"]) {
    const rows = await rowsOf<Record<string, unknown>>(connection, sql).catch(() => undefined);
    const [row] = rows ?? [];
    if (row)
      return {
        file: String(row.File),
        position: Number(row.Position),
        gtid: String(row.Executed_Gtid_Set ?? ""),
        exact: false,
      };
  }
  return undefined;
}

interface ColumnRow {
  column_name: string;
  data_type: string;
}

/** Without the columns that the server computes. */
async function columnsOf(connection: Connection, database: string, table: string): Promise<DumpedColumn[]> {
  const rows = await rowsOf<ColumnRow>(
    connection,
    `SELECT column_name AS column_name, data_type AS data_type FROM information_schema.columns
     WHERE table_schema = ? AND table_name = ? AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position`,
    [database, table],
  );
  return rows.map(({ column_name: name, data_type }) => ({ name, kind: literalKindOf(data_type) }));
}

async function tablesOf(connection: Connection, database: string): Promise<string[]> {
  const rows = await rowsOf<{ name: string; type: string; engine: string | null }>(
    connection,
    `SELECT table_name AS name, table_type AS type, engine AS engine FROM information_schema.tables
     WHERE table_schema = ? ORDER BY table_name`,
    [database],
  );
  for (const { name, type, engine } of rows)
    if (type !== "BASE TABLE" || engine?.toLowerCase() !== "innodb")
      throw new Error(`${database}.${name} is no InnoDB table (${type}, ${engine}): it is not as of the same moment`);
  return rows.map(({ name }) => name);
}

/**
 * Reads a row of each table first: until the dump ends no ALTER changes one, such as the archiver's, which makes a
 * partition. The ALTER gives up after seconds and is tried again.
 */
async function holdTables(connection: Connection, databases: readonly string[]): Promise<void> {
  for (const database of databases)
    for (const table of await tablesOf(connection, database))
      await connection.query(`SELECT 1 FROM ${named(database)}.${named(table)} LIMIT 1`);
}

/** Each value as the bytes of the text protocol. */
const rawRows = {
  rowsAsArray: true,
  typeCast: (field: { buffer(): Buffer | null }) => field.buffer(),
} as const;

type Progress = (database: string, table: string, rows: number) => void;

async function dumpTable(
  connection: Connection,
  { database, table, out, progress }: { database: string; table: string; out: CompressedLines; progress: Progress },
): Promise<number> {
  const [definition] = await rowsOf<Record<string, string>>(
    connection,
    `SHOW CREATE TABLE ${named(database)}.${named(table)}`,
  );
  await out.write(`${oneLine(String(definition?.["Create Table"]))};\n`);
  const columns = await columnsOf(connection, database, table);
  const inserts = new Inserts(table, columns, limits.backup.statementBytes);
  const list = columns.map(({ name }) => named(name)).join(", ");
  // The promise's connection has no streams.
  const raw = (connection as unknown as { readonly connection: RawConnection }).connection;
  const query = raw.query({ sql: `SELECT ${list} FROM ${named(database)}.${named(table)}`, ...rawRows } as never);
  let rows = 0;
  for await (const row of query.stream({ highWaterMark: 100 }) as AsyncIterable<(Buffer | null)[]>) {
    const line = inserts.add(row);
    if (line !== undefined) await out.write(line);
    rows++;
    progress(database, table, rows);
  }
  const rest = inserts.rest();
  if (rest !== undefined) await out.write(rest);
  return rows;
}

async function dumpDatabase(
  connection: Connection,
  { database, folder, progress }: { database: string; folder: string; progress: Progress },
): Promise<DumpedDatabase> {
  const file = join(folder, `${database}.sql.zst`);
  const out = new CompressedLines(file);
  const rows: Record<string, number> = {};
  try {
    for (const setting of sessionSettings) await out.write(`${setting};\n`);
    await out.write(
      `CREATE DATABASE IF NOT EXISTS ${named(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\nUSE ${named(database)};\n`,
    );
    for (const table of await tablesOf(connection, database))
      rows[table] = await dumpTable(connection, { database, table, out, progress });
    await out.end();
  } catch (error) {
    out.abandon();
    throw error;
  }
  return { database, rows, ...(await sumOf(file)) };
}

export interface Dump {
  readonly server: string;
  readonly databases: readonly DumpedDatabase[];
  readonly position: BinlogPosition | null;
  /** How far the gift service had seen stream EVENTS grow, as these databases have it. */
  readonly seen: number | undefined;
}

interface Seen {
  readonly database: string;
  readonly stream: string;
  readonly created: string;
}

/** What a server that is behind has not got yet is not in its dump, and its position says so. */
async function seenIn(connection: Connection, { database, stream, created }: Seen): Promise<number | undefined> {
  const [row] = await rowsOf<{ sequence: string | null }>(
    connection,
    `SELECT MAX(sequence) AS sequence FROM ${named(database)}.t_stream_position
     WHERE reader = 'seen' AND stream = ? AND stream_created = ?`,
    [stream, created],
  );
  return row?.sequence ? Number(row.sequence) : undefined;
}

/**
 * Dumps the databases into files of the folder, as of one moment. @throws Error where a table changes its form
 * meanwhile, as by a migration
 */
export async function dumpDatabases(
  url: string,
  {
    databases,
    folder,
    progress,
    seen,
  }: { databases: readonly string[]; folder: string; progress: Progress; seen?: Seen | undefined },
): Promise<Dump> {
  const connection = await openAdmin(url);
  try {
    const [version] = await rowsOf<{ version: string }>(connection, "SELECT VERSION() AS version");
    const before = await positionBefore(connection);
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    const position = (await exactPosition(connection)) ?? before ?? null;
    await holdTables(connection, databases);
    const dumped: DumpedDatabase[] = [];
    for (const database of databases) dumped.push(await dumpDatabase(connection, { database, folder, progress }));
    const known = seen && (await seenIn(connection, seen));
    return { server: String(version?.version), databases: dumped, position, seen: known };
  } finally {
    await connection.end();
  }
}
