import { parseArgs } from "node:util";
import { databaseName } from "../config/config.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { recordApplied } from "../mixins/mysql/record-applied.ts";
import { migrationFolders } from "../services/databases.ts";
import { requireNode } from "./node-version.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/** Records a migration that was applied by hand, by its path from the project's folder. */
async function record(migration: string): Promise<void> {
  const owner = Object.entries(migrationFolders).find(([, folders]) =>
    folders.some((folder) => migration.startsWith(`${folder}/`)),
  );
  if (!owner) throw new Error(`No service has the migration ${migration}.`);
  const [service, folders] = owner;
  const isNew = await recordApplied(databaseName(service), folders, migration);
  console.log(`${databaseName(service).padEnd(24)} ${isNew ? "recorded" : "had recorded"} ${migration} as applied`);
}

/**
 * Applies all missing migrations to every service's database: a step of a release, before the new nodes start. With
 * `--applied PATH` it only records that this migration was applied by hand.
 */
async function main(): Promise<void> {
  requireNode();
  const { values } = parseArgs({ options: { applied: { type: "string" } } });
  useStackEnv(defaultStackDir());
  if (values.applied !== undefined) return record(values.applied);
  for (const [service, folders] of Object.entries(migrationFolders)) {
    const applied = await migrate(databaseName(service), folders);
    const what = applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`;
    console.log(`${databaseName(service).padEnd(24)} ${what}`);
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
