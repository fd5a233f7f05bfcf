import { config, databaseName, serviceUrlName } from "../config/config.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { migrationFolders } from "../services/databases.ts";
import { type DatabaseService, databaseServices, grantLogins, prepareDatabases } from "./databases.ts";
import { requireNode } from "./node-version.ts";
import { readStackEnv, useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/**
 * A step of a release, before the new nodes start: applies all missing migrations to every service's database, as
 * MYSQL_MIGRATION_URL (else MYSQL_URL), and gives each service's login, `<SERVICE>_MYSQL_URL`, the rights of its job. A
 * login that is missing is made. On the private servers of this folder the logins are chosen here.
 */
async function main(): Promise<void> {
  requireNode();
  const stackDir = defaultStackDir();
  useStackEnv(stackDir);
  const { MYSQL_MIGRATION_URL, MYSQL_URL, NAMESPACE: namespace } = config();
  const adminUrl = MYSQL_MIGRATION_URL ?? MYSQL_URL;
  for (const service of databaseServices) {
    const applied = await migrate(databaseName(service), migrationFolders[service]);
    const what = applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`;
    console.log(`${databaseName(service).padEnd(24)} ${what}`);
  }
  if (adminUrl === readStackEnv(stackDir).MYSQL_ADMIN_URL) {
    await prepareDatabases({ adminUrl, namespace, stackDir });
    console.log("each service has its login, with the rights of its job");
    return;
  }
  const urls = new Map<DatabaseService, string>();
  for (const service of databaseServices) {
    const variable = serviceUrlName("MYSQL_URL", service);
    const url = process.env[variable];
    if (url) urls.set(service, url);
    else console.log(`${variable} is not set: the login of ${service} and its rights stay as they are`);
  }
  await grantLogins(adminUrl, namespace, urls);
  for (const [service, url] of urls) console.log(`${new URL(url).username.padEnd(24)} has the rights of ${service}`);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
