import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import { openAdmin, rowsOf } from "../backup/admin-connection.ts";
import { compressedLines } from "../backup/backup-file.ts";
import { named } from "../backup/dump-text.ts";
import type { DatabasePart } from "../backup/manifest.ts";
import type { RestoreState } from "./restore-state.ts";

/** Loads the dumps of a backup, each database once. */

/** A database of a backup, and the server that it goes to. */
export interface PlacedDatabase extends DatabasePart {
  readonly connection: Connection;
  readonly url: string;
  /** The further server of ledgers; `undefined`: the home server. */
  readonly server: string | undefined;
}

/** For people, and in the state of a restore. */
export const placeOf = ({ database, server }: Pick<PlacedDatabase, "database" | "server">): string =>
  server === undefined ? `database ${database}` : `database ${database} at ${server}`;

export async function hasTables({ connection, database }: PlacedDatabase): Promise<boolean> {
  const rows = await rowsOf(connection, "SELECT 1 FROM information_schema.tables WHERE table_schema = ? LIMIT 1", [
    database,
  ]);
  return rows.length > 0;
}

/** @throws Error where the namespace has tables that this restore did not load */
export async function requireEmpty(state: RestoreState, databases: readonly PlacedDatabase[]): Promise<void> {
  const foreign: string[] = [];
  for (const one of databases)
    if ((await state.of(placeOf(one))) === "none" && (await hasTables(one)))
      foreign.push(placeOf(one).slice("database ".length));
  if (foreign.length > 0)
    throw new Error(
      `there are tables in ${foreign.join(", ")}: a restore goes to empty servers and overwrites nothing. Drop these ` +
        "databases if you are sure of it, or give --databases keep if they were restored by other means",
    );
}

async function load(url: string, path: string): Promise<void> {
  const connection = await openAdmin(url);
  try {
    for await (const line of compressedLines(path)) if (line !== "") await connection.query(line);
  } finally {
    await connection.end();
  }
}

async function requireRows(one: PlacedDatabase): Promise<void> {
  for (const [table, rows] of Object.entries(one.rows)) {
    const [row] = await rowsOf<{ n: string }>(
      one.connection,
      `SELECT COUNT(*) AS n FROM ${named(one.database)}.${named(table)}`,
    );
    if (Number(row?.n) !== rows)
      throw new Error(`${one.database}.${table} has ${row?.n} rows after its restoring, the backup has ${rows}`);
  }
}

interface Loading {
  readonly folder: string;
  readonly databases: readonly PlacedDatabase[];
  readonly progress: (line: string) => void;
}

/** Several at a time. @throws Error where a statement fails, or a table has not as many rows as in the backup */
export async function loadDatabases(state: RestoreState, { folder, databases, progress }: Loading): Promise<void> {
  const loadOne = (one: PlacedDatabase) =>
    state.step(placeOf(one), async (begun) => {
      if (begun) await one.connection.query(`DROP DATABASE IF EXISTS ${named(one.database)}`);
      await load(one.url, join(folder, one.file));
      await requireRows(one);
      const rows = Object.values(one.rows).reduce((sum, count) => sum + count, 0);
      progress(`${placeOf(one)}: ${rows.toLocaleString("en")} rows`);
    });
  const left = [...databases];
  let failed = false;
  const loader = async () => {
    for (let one = left.shift(); one && !failed; one = left.shift())
      await loadOne(one).catch((error: unknown) => {
        failed = true;
        throw error;
      });
  };
  // All loaders end before this does: nothing writes after a failure.
  const ends = await Promise.allSettled(Array.from({ length: limits.backup.loadedAtOnce }, loader));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
