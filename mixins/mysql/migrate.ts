import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { Database } from "./database.ts";
import { DatabaseLease } from "./database-lease.ts";
import { type Migration, readMigrations, statementsOf } from "./migration-files.ts";
import { runDdl } from "./patient-ddl.ts";
import { pendingOf, readSchema } from "./schema.ts";
import { openConnection } from "./servers.ts";

const baseTables = "mixins/mysql/base-tables.sql";

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
 * Applies the missing expands to a database, with `contracts` also the missing contracts, and returns their names, while
 * nodes run. `url` is a login that may create and change tables. One process at a time does it, under the lease
 * `migration` of that database; the others wait and find it done. MySQL commits DDL at once, so a failed migration
 * reports its statement, and every statement must be repeatable (IF NOT EXISTS, INSERT IGNORE; see patient-ddl.ts).
 * @throws Error where a statement fails, another node migrates for longer than `waitMs`, or
 * another node takes the lease: then this node stops before its next statement.
 */
export async function migrate(
  name: string,
  folders: readonly string[],
  times: MigrationTimes = usualTimes,
  url: string = migrationUrl(),
  contracts = false,
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
    const missing = () => pending(database, folders, contracts);
    if (!(await holdWhilePending(lease, database, times, missing))) return [];
    try {
      return await apply(database, await missing(), (statement) => whileHeld(lease, times, statement));
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
  { waitMs }: MigrationTimes,
  missing: () => Promise<readonly Migration[]>,
): Promise<boolean> {
  const giveUpAt = performance.now() + waitMs;
  while ((await missing()).length > 0) {
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

async function apply(
  database: Database,
  migrations: readonly Migration[],
  guard: <T>(statement: () => Promise<T>) => Promise<T>,
): Promise<string[]> {
  const applied: string[] = [];
  for (const migration of migrations) {
    const { name, checksum, statements } = migration;
    const isRepeat = await guard(() => begin(database, migration));
    for (const statement of statements)
      await naming(migration, database, statement, () => guard(() => runDdl(database, statement, isRepeat)));
    const sql = "INSERT INTO t_migration (name, checksum, applied_time) VALUES (?, ?, UTC_TIMESTAMP(3))";
    await guard(() => database.run(sql, [name, checksum]));
    applied.push(name);
  }
  return applied;
}

/**
 * Writes down what is about to be applied: nodes for which a contract is too new must not start from its first statement
 * on. Returns whether it was begun before, and did not end.
 */
export async function begin(database: Database, { name, release, needs }: Migration): Promise<boolean> {
  const [before] = await database.query("SELECT name FROM t_migration_release WHERE name = ?", [name]);
  const sql = `INSERT INTO t_migration_release (name, release_number, needs_release, begin_time)
    VALUES (?, ?, ?, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE release_number = ?, needs_release = ?`;
  await database.run(sql, [name, release, needs, release, needs]);
  return before !== undefined;
}

/** Expands; with `contracts` all kinds. */
async function pending(database: Database, folders: readonly string[], contracts: boolean): Promise<Migration[]> {
  const missing = pendingOf(database.name, await readSchema(database), readMigrations(folders));
  return missing.filter(({ kind }) => contracts || kind === "expand");
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
