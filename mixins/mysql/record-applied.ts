import { Database, isDuplicateKey } from "./database.ts";
import { begin, migrationUrl } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

/**
 * Records that a migration of a database was applied by hand, so that `migrate` leaves it out. `migration` is its path
 * from the project's folder. Returns whether it was recorded now: false where it was before. @throws Error where the
 * folders have no such migration, or it was recorded with another content.
 */
export async function recordApplied(name: string, folders: readonly string[], migration: string): Promise<boolean> {
  const found = readMigrations(folders).find((one) => one.name === migration);
  if (!found) throw new Error(`There is no migration ${migration}.`);
  const database = new Database(name, { url: migrationUrl(), connections: 1 });
  try {
    await begin(database, found);
    await database.run("INSERT INTO t_migration (name, checksum, applied_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
      ...[found.name, found.checksum],
    ]);
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const [row] = await database.query<{ checksum: string }>("SELECT checksum FROM t_migration WHERE name = ?", [
      found.name,
    ]);
    if (row?.checksum !== found.checksum)
      throw new Error(`Migration ${migration} was changed after it was applied to ${name}: add a new one.`);
    return false;
  } finally {
    await database.close();
  }
}
