import { parseArgs } from "node:util";
import { config, databaseName, serviceUrlName } from "../config/config.ts";
import { serversOf } from "../config/server-urls.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { recordApplied } from "../mixins/mysql/record-applied.ts";
import { migrationFolders } from "../services/databases.ts";
import {
  type DatabaseService,
  databaseServices,
  grantLogins,
  prepareDatabases,
  requireOwnLogins,
} from "./databases.ts";
import { requireNode } from "./node-version.ts";
import { readStackEnv, useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/** Records a migration that was applied by hand, by its path from the project's folder. */
async function record(migration: string): Promise<void> {
  const service = databaseServices.find((name) =>
    migrationFolders[name].some((folder) => migration.startsWith(`${folder}/`)),
  );
  if (!service) throw new Error(`No service has the migration ${migration}.`);
  const isNew = await recordApplied(databaseName(service), migrationFolders[service], migration);
  console.log(`${databaseName(service).padEnd(24)} ${isNew ? "recorded" : "had recorded"} ${migration} as applied`);
}

/** The services' own URLs in the environment. */
function givenUrls(): Map<DatabaseService, string> {
  const urls = new Map<DatabaseService, string>();
  for (const service of databaseServices) {
    const url = process.env[serviceUrlName("MYSQL_URL", service)];
    if (url) urls.set(service, url);
  }
  return urls;
}

/**
 * A step of a release, before the new nodes start: applies all missing migrations to every service's database, as
 * MYSQL_MIGRATION_URL (else MYSQL_URL), and gives each service's login, `<SERVICE>_MYSQL_URL`, the rights of its job. A
 * login that is missing is made. On the private servers of this folder the logins are chosen here. With
 * `--applied PATH` it only records that this migration was applied by hand.
 */
async function main(): Promise<void> {
  requireNode();
  const { values } = parseArgs({ options: { applied: { type: "string" } } });
  const stackDir = defaultStackDir();
  useStackEnv(stackDir);
  if (values.applied !== undefined) return record(values.applied);
  const { MYSQL_MIGRATION_URL, MYSQL_URL, NAMESPACE: namespace } = config();
  const adminUrl = MYSQL_MIGRATION_URL ?? MYSQL_URL;
  const isOwnServer = adminUrl === readStackEnv(stackDir).MYSQL_ADMIN_URL;
  const urls = isOwnServer ? new Map<DatabaseService, string>() : givenUrls();
  requireOwnLogins(adminUrl, urls);
  for (const service of databaseServices) {
    const applied = await migrate(databaseName(service), migrationFolders[service]);
    const what = applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`;
    console.log(`${databaseName(service).padEnd(24)} ${what}`);
  }
  if (isOwnServer) {
    await prepareDatabases({ adminUrl, namespace, stackDir });
    console.log("each service has its login, with the rights of its job");
    return;
  }
  for (const service of databaseServices)
    if (!urls.has(service))
      console.log(
        `${serviceUrlName("MYSQL_URL", service)} is not set: the login of ${service} and its rights stay as they are`,
      );
  await grantLogins(adminUrl, namespace, urls);
  for (const [service, url] of urls)
    console.log(`${serversOf(url)[0].username.padEnd(24)} has the rights of ${service}`);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
