import { release } from "../../config/release.ts";
import type { Database } from "./database.ts";
import { type Migration, readMigrations } from "./migration-files.ts";

/** What is applied to a database, and whether a node may run on it. */

/** A migration that was begun or applied, as its file said: see base-tables.sql. */
interface Begun {
  readonly name: string;
  readonly release: number;
  readonly needs: number;
}

export interface Schema {
  /** Checksums of the applied migrations, by name. */
  readonly applied: ReadonlyMap<string, string>;
  readonly begun: readonly Begun[];
}

export async function readSchema(database: Pick<Database, "query">): Promise<Schema> {
  const applied = await database.query<{ name: string; checksum: string }>("SELECT name, checksum FROM t_migration");
  const begun = await database.query<{ name: string; release_number: number; needs_release: number }>(
    "SELECT name, release_number, needs_release FROM t_migration_release",
  );
  return {
    applied: new Map(applied.map(({ name, checksum }) => [name, checksum])),
    begun: begun.map((row) => ({
      name: row.name,
      release: Number(row.release_number),
      needs: Number(row.needs_release),
    })),
  };
}

/** The release of the newest migration. Pure. */
export const releaseOf = ({ begun }: Schema): number => Math.max(1, ...begun.map((one) => one.release));

/** The migrations that are not applied. Pure. @throws Error where one was changed after it was applied */
export function pendingOf(database: string, { applied }: Schema, migrations: readonly Migration[]): Migration[] {
  return migrations.filter(({ name, checksum }) => {
    const done = applied.get(name);
    if (done !== undefined && done !== checksum)
      throw new Error(`Migration ${name} was changed after it was applied to ${database}: add a new one.`);
    return done === undefined;
  });
}

/**
 * Why a node of a release must not run on a schema; `undefined` where it may. It needs every expand of its own release,
 * runs with those of the next one, and without what contracts removed for which it is new enough. Pure.
 */
export function whyNot(
  database: string,
  schema: Schema,
  migrations: readonly Migration[],
  own = release,
): string | undefined {
  const lacks = pendingOf(database, schema, migrations).filter(({ kind }) => kind === "expand");
  if (lacks.length > 0)
    return `Database ${database} lacks ${lacks.map(({ name }) => name).join(", ")}: run "npm run migrate".`;
  const known = new Set(migrations.map(({ name }) => name));
  const newer = schema.begun.filter(({ name }) => !known.has(name));
  const removed = newer.find(({ needs }) => needs > own);
  if (removed)
    return (
      `Database ${database} is too new for this node: ${removed.name} removed what nodes before release ` +
      `${removed.needs} need, and this one is of release ${own}. Start a newer release.`
    );
  const beyond = newer.find((one) => one.release > own + 1);
  if (!beyond) return undefined;
  return (
    `Database ${database} is too new for this node: ${beyond.name} is of release ${beyond.release}, and a node of ` +
    `release ${own} runs on schemas of releases ${own} and ${own + 1}. Start a newer release.`
  );
}

/** Error codes: no such table, no such database. */
const nothingThere: ReadonlySet<unknown> = new Set([1146, 1049]);

/** The schema, empty where there is no database or none of its tables. */
export async function schemaOrNone(database: Database): Promise<Schema> {
  return readSchema(database).catch((error: { data?: { errno?: unknown } }) => {
    if (nothingThere.has(error.data?.errno)) return { applied: new Map(), begun: [] };
    throw error;
  });
}

/** The names of the expands that a database lacks; all of them where there is no database. */
export async function missingMigrations(database: Database, folders: readonly string[]): Promise<string[]> {
  const missing = pendingOf(database.name, await schemaOrNone(database), readMigrations(folders));
  return missing.filter(({ kind }) => kind === "expand").map(({ name }) => name);
}

/**
 * Returns the release of the schema. @throws Error that says why where a node of this release must not run on it: it is
 * too old, too new, or a migration was changed after it was applied
 */
export async function requireSchema(database: Database, folders: readonly string[]): Promise<number> {
  const schema = await schemaOrNone(database);
  const reason = whyNot(database.name, schema, readMigrations(folders));
  if (reason !== undefined) throw new Error(reason);
  return releaseOf(schema);
}
