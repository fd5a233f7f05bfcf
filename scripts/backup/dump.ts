import { join } from "node:path";
import type { Connection as RawConnection } from "mysql2";
import type { Connection } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { openAdmin, rowsOf, sessionSettings } from "./admin-connection.ts";
import { CompressedLines, type FileSum, sumOf } from "./backup-file.ts";
import { type BinlogPosition, exactPosition, positionBefore } from "./binlog-position.ts";
import { type DumpedColumn, Inserts, literalKindOf, named, oneLine } from "./dump-text.ts";

/**
 * All databases of a server as SQL, as of one moment: one transaction reads them all, without a lock that a writer would
 * wait for. It needs no program of the server's packages.
 */

export interface DumpedDatabase extends FileSum {
  readonly database: string;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
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

interface DumpingDatabase {
  readonly database: string;
  readonly folder: string;
  /** What the file's name begins with: databases of several servers have one name. */
  readonly prefix: string;
  readonly progress: Progress;
}

async function dumpDatabase(
  connection: Connection,
  { database, folder, prefix, progress }: DumpingDatabase,
): Promise<DumpedDatabase> {
  const file = join(folder, `${prefix}${database}.sql.zst`);
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

export interface Seen {
  readonly database: string;
  readonly stream: string;
  readonly created: string;
}

/** Databases of a server as of the moment at which it was opened, until `close`. */
export class Snapshot {
  readonly connection: Connection;
  /** The server's version. */
  readonly server: string;
  readonly position: BinlogPosition | null;
  private readonly databases: readonly string[];

  private constructor(
    connection: Connection,
    about: { server: string; position: BinlogPosition | null; databases: readonly string[] },
  ) {
    this.connection = connection;
    this.server = about.server;
    this.position = about.position;
    this.databases = about.databases;
  }

  static async open(url: string, databases: readonly string[]): Promise<Snapshot> {
    const connection = await openAdmin(url);
    try {
      const [version] = await rowsOf<{ version: string }>(connection, "SELECT VERSION() AS version");
      const before = await positionBefore(connection);
      await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
      const position = (await exactPosition(connection)) ?? before ?? null;
      await holdTables(connection, databases);
      return new Snapshot(connection, { server: String(version?.version), position, databases });
    } catch (error) {
      await connection.end();
      throw error;
    }
  }

  /** Dumps the databases into files. @throws Error where a table changes its form meanwhile, as by a migration */
  async dump(about: Omit<DumpingDatabase, "database">): Promise<DumpedDatabase[]> {
    const dumped: DumpedDatabase[] = [];
    for (const database of this.databases) dumped.push(await dumpDatabase(this.connection, { ...about, database }));
    return dumped;
  }

  /**
   * How far a service had seen a stream grow: what a server that is behind has not got yet is not in its dump, and its
   * position says so.
   */
  async seen({ database, stream, created }: Seen): Promise<number | undefined> {
    const [row] = await rowsOf<{ sequence: string | null }>(
      this.connection,
      `SELECT MAX(sequence) AS sequence FROM ${named(database)}.t_stream_position
       WHERE reader = 'seen' AND stream = ? AND stream_created = ?`,
      [stream, created],
    );
    return row?.sequence ? Number(row.sequence) : undefined;
  }

  close(): Promise<void> {
    return this.connection.end();
  }
}
