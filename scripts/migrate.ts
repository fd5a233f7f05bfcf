import { databaseName } from "../config/config.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { migrationFolders } from "../services/databases.ts";
import { requireNode } from "./node-version.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/** Applies all missing migrations to every service's database: a step of a release, before the new nodes start. */
async function main(): Promise<void> {
  requireNode();
  useStackEnv(defaultStackDir());
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
