import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { Database } from "./database.ts";
import { DatabaseLease } from "./database-lease.ts";
import { openConnection } from "./servers.ts";

interface Migration {
  /** Folder and file, e.g. `services/wallet/migrations/0001-accounts.sql`; never changed. */
  readonly name: string;
  readonly statements: readonly string[];
  readonly checksum: string;
}

const baseTables = "mixins/mysql/base-tables.sql";

function statementsOf(text: string): string[] {
  return text
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, "").trim() !== "");
}

/** The migrations of the folders (relative to the project), in the order of folders and numbers. */
export function readMigrations(folders: readonly string[]): Migration[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot(), folder))
      .filter((file) => /^\d{4}-.+\.sql$/.test(file))
      .sort()
      .map((file) => {
        const text = readFileSync(join(projectRoot(), folder, file), "utf8");
        const checksum = createHash("sha256").update(text).digest("hex");
        return { name: `${folder}/${file}`, statements: statementsOf(text), checksum };
      }),
  );
}

/** The login that may change tables; no service has it. */
export function migrationUrl(): string {
  const { MYSQL_MIGRATION_URL, MYSQL_URL } = config();
  const url = MYSQL_MIGRATION_URL ?? MYSQL_URL;
  if (url === "") throw new Error("Neither MYSQL_MIGRATION_URL nor MYSQL_URL is set (see .env.example).");
  return url;
}

async function createDatabase(name: string, url: string): Promise<void> {
  const connection = await openConnection(url);
  try {
    await connection.query(`CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  } finally {
    await connection.end();
  }
}

interface MigrationTimes {
  /** How long the lease is held after each renewal. If a node dies, others wait at most this long. */
  readonly leaseMs: number;
  /** How long to wait for another node's migration. */
  readonly waitMs: number;
}

const usualTimes: MigrationTimes = {
  leaseMs: limits.mysql.migrationLeaseMs,
  waitMs: limits.mysql.migrationWaitMs,
};

/**
 * Applies all missing migrations to a database and returns their names. `url` is a login that may create and change
 * tables. One node at a time does it, under the lease `migration` of that database; the others wait and find it done.
 * MySQL commits DDL at once, so a failed migration reports its statement, and every statement must be repeatable (IF
 * NOT EXISTS, INSERT IGNORE). @throws Error where a statement fails, another node migrates for longer than `waitMs`, or
 * another node takes the lease: then this node stops before its next statement.
 */
export async function migrate(
  name: string,
  folders: readonly string[],
  times: MigrationTimes = usualTimes,
  url: string = migrationUrl(),
): Promise<string[]> {
  await createDatabase(name, url);
  // An ALTER of a large table takes longer than a request's statement may. The lease is renewed meanwhile.
  const database = new Database(name, { url, connections: 1, statementTimeoutMs: 0 });
  const leases = new Database(name, { url, connections: 1 });
  try {
    const tables = statementsOf(readFileSync(join(projectRoot(), baseTables), "utf8"));
    for (const statement of tables) await leases.run(statement);
    const holder = `${randomUUID()} ${hostname()}`.slice(0, 150);
    const lease = new DatabaseLease({ mysql: leases, name: "migration", holder, ms: times.leaseMs });
    if (!(await holdWhilePending(lease, database, folders, times))) return [];
    try {
      return await applyPending(database, folders, (statement) => whileHeld(lease, times, statement));
    } finally {
      // If this fails, the lease expires by itself; the result is that of the migration.
      await lease.giveBack().catch(() => {});
    }
  } finally {
    await leases.close();
    await database.close();
  }
}

/** Returns whether the lease is held: false where other nodes have applied everything meanwhile. */
async function holdWhilePending(
  lease: DatabaseLease,
  database: Database,
  folders: readonly string[],
  { waitMs }: MigrationTimes,
): Promise<boolean> {
  const giveUpAt = performance.now() + waitMs;
  while ((await pending(database, folders)).length > 0) {
    if (await lease.hold()) return true;
    if (performance.now() > giveUpAt)
      throw new Error(
        `Another node has been migrating ${database.name} for ${waitMs / 1_000} s: check that node first.`,
      );
    await pause(limits.mysql.migrationPollMs);
  }
  return false;
}

/** Runs one statement while the lease is renewed. */
async function whileHeld<T>(
  lease: DatabaseLease,
  { leaseMs }: MigrationTimes,
  statement: () => Promise<T>,
): Promise<T> {
  if (!(await lease.renew())) throw new Error("Another node took the lease of the migration and continues it.");
  const renew = () => {
    // If this fails, or finds that another node holds the lease, the renewal before the next statement reports it.
    lease.renew().catch(() => false);
  };
  const timer = setInterval(renew, leaseMs / 3);
  try {
    return await statement();
  } finally {
    clearInterval(timer);
  }
}

async function applyPending(
  database: Database,
  folders: readonly string[],
  guard: <T>(statement: () => Promise<T>) => Promise<T>,
): Promise<string[]> {
  const applied: string[] = [];
  for (const migration of await pending(database, folders)) {
    for (const statement of migration.statements)
      await naming(migration, database, statement, () => guard(() => database.run(statement)));
    const { name, checksum } = migration;
    const sql = "INSERT INTO t_migration (name, checksum, applied_time) VALUES (?, ?, UTC_TIMESTAMP(3))";
    await guard(() => database.run(sql, [name, checksum]));
    applied.push(name);
  }
  return applied;
}

/** Error codes: no such table, no such database. */
const nothingThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/** The names of the migrations that a database lacks; all of them where there is no database. */
export async function missingMigrations(database: Database, folders: readonly string[]): Promise<string[]> {
  const missing = await pending(database, folders).catch((error: { data?: { errno?: unknown } }) => {
    if (nothingThere.has(error.data?.errno)) return readMigrations(folders);
    throw error;
  });
  return missing.map(({ name }) => name);
}

/** @throws Error with the missing migrations. A node must not run on a database that is not at the newest migration. */
export async function requireMigrated(database: Database, folders: readonly string[]): Promise<void> {
  const missing = await missingMigrations(database, folders);
  if (missing.length > 0)
    throw new Error(`Database ${database.name} lacks ${missing.join(", ")}: run "npm run migrate".`);
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

/** Whatever ends the work before or at this statement, a lost lease or a server that went away, is reported with it. */
async function naming(
  migration: Migration,
  database: Database,
  statement: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const where = `Migration ${migration.name} of ${database.name} failed at: ${statement.slice(0, 200)}`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}
