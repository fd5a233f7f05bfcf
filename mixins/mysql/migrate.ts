import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { Database } from "./database.ts";

export interface Migration {
  /** Folder and file, e.g. `services/wallet/migrations/0001-accounts.sql`: its name for ever. */
  readonly name: string;
  readonly statements: readonly string[];
  readonly checksum: string;
}

/** The migrations of the folders (relative to the project), in the order of folders and numbers. */
export function readMigrations(folders: readonly string[]): Migration[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot(), folder))
      .filter((file) => /^\d{4}-.+\.sql$/.test(file))
      .sort()
      .map((file) => {
        const text = readFileSync(join(projectRoot(), folder, file), "utf8");
        const statements = text
          .split(/;\s*$/m)
          .map((statement) => statement.trim())
          .filter((statement) => statement.replace(/^--.*$/gm, "").trim() !== "");
        return { name: `${folder}/${file}`, statements, checksum: createHash("sha256").update(text).digest("hex") };
      }),
  );
}

async function createDatabase(name: string): Promise<void> {
  const connection = await createConnection(config().MYSQL_URL.replace(/^mariadb:/, "mysql:"));
  try {
    await connection.query(`CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  } finally {
    await connection.end();
  }
}

/**
 * Brings a database to the newest migration and returns the names of those it applied. One node at a time does it; the
 * others wait and find it done. DDL commits by itself in MySQL, so a migration that fails half-way says which statement
 * it stopped at, and every statement must be able to run again (IF NOT EXISTS, INSERT IGNORE).
 */
export async function migrate(name: string, folders: readonly string[]): Promise<string[]> {
  await createDatabase(name);
  // An ALTER of a large table, and the wait for another node's, take longer than any statement of a request may.
  const database = new Database(name, { connections: 1, statementTimeoutMs: 0 });
  try {
    return await underLock(database, name, async () => {
      await database.run(
        "CREATE TABLE IF NOT EXISTS t_migration (name VARCHAR(190) PRIMARY KEY, checksum CHAR(64) NOT NULL, applied_time DATETIME(3) NOT NULL)",
      );
      // What a node writes to when it is asked whether it can (mixins/health.mixin.ts).
      await database.run(
        "CREATE TABLE IF NOT EXISTS t_heartbeat (id TINYINT UNSIGNED PRIMARY KEY, beat_time DATETIME(3) NOT NULL)",
      );
      const applied: string[] = [];
      for (const migration of await pending(database, folders)) {
        for (const statement of migration.statements) await runStatement(database, migration, statement);
        await database.run("INSERT INTO t_migration (name, checksum, applied_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
          migration.name,
          migration.checksum,
        ]);
        applied.push(migration.name);
      }
      return applied;
    });
  } finally {
    await database.close();
  }
}

/** No such table, no such database. */
const nothingThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/**
 * @throws Error naming what is missing, where a database is not at the newest migration: a node must not run on it.
 */
export async function requireMigrated(database: Database, folders: readonly string[]): Promise<void> {
  const missing = await pending(database, folders).catch((error: { data?: { errno?: unknown } }) => {
    if (nothingThere.has(error.data?.errno)) return readMigrations(folders);
    throw error;
  });
  if (missing.length > 0)
    throw new Error(
      `Database ${database.name} lacks ${missing.map(({ name }) => name).join(", ")}: run "npm run migrate".`,
    );
}

async function pending(database: Database, folders: readonly string[]): Promise<Migration[]> {
  const rows = await database.query<{ name: string; checksum: string }>("SELECT name, checksum FROM t_migration");
  const done = new Map(rows.map((row) => [row.name, row.checksum]));
  return readMigrations(folders).filter((migration) => {
    const checksum = done.get(migration.name);
    if (checksum !== undefined && checksum !== migration.checksum)
      throw new Error(
        `Migration ${migration.name} was changed after it was applied to ${database.name}: add a new one.`,
      );
    return checksum === undefined;
  });
}

async function runStatement(database: Database, migration: Migration, statement: string): Promise<void> {
  try {
    await database.run(statement);
  } catch (error) {
    throw new Error(`Migration ${migration.name} of ${database.name} failed at: ${statement.slice(0, 200)}`, {
      cause: error,
    });
  }
}

async function underLock<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  const lock = `migrate:${name}`.slice(0, 64);
  const [row] = await database.query<{ got: number | null }>("SELECT GET_LOCK(?, ?) AS got", [
    lock,
    limits.mysql.migrationLockSeconds,
  ]);
  if (Number(row?.got) !== 1)
    throw new Error(`Another node has been migrating ${name} for over a minute: look at it first.`);
  try {
    return await work();
  } finally {
    await database.query("SELECT RELEASE_LOCK(?)", [lock]);
  }
}
