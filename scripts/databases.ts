import { createConnection } from "mysql2/promise";
import { printLine } from "../broker/outputs.ts";
import { databaseName, serviceUrlName } from "../config/config.ts";
import { applyLogin, databasePlace, loginOf, type Privileges, tablePlace } from "../mixins/mysql/grants.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { databaseRights, readsDatabasesOf, tableRights } from "../services/database-rights.ts";
import { migrationFolders } from "../services/databases.ts";
import { writeStackEnv } from "./stack/env-file.ts";
import { keptMysqlUrls } from "./stack/mysql-logins.ts";

export type DatabaseService = keyof typeof migrationFolders;

export const databaseServices = Object.keys(migrationFolders) as DatabaseService[];

export const hasDatabase = (service: string): service is DatabaseService => Object.hasOwn(migrationFolders, service);

/** What a service's login may do: by table in its own database, and for a reader of all databases to read the others. */
export function privilegesFor(namespace: string, service: DatabaseService): Privileges {
  const own = databaseName(service, namespace);
  const tables = Object.entries(databaseRights[service]);
  const others = readsDatabasesOf[service] ?? [];
  return new Map([
    ...tables.map(([table, right]) => [tablePlace(own, table), tableRights[right]] as const),
    ...others.map((other) => [databasePlace(databaseName(other, namespace)), ["SELECT"]] as const),
  ]);
}

const driverUrl = (url: string) => url.replace(/^mariadb:/, "mysql:");

/**
 * Makes the services' logins as their URLs have them, by service, with exactly the rights of database-rights.ts. The
 * tables must be there. A URL without a password names an account that exists. @throws where a URL has the login of
 * `adminUrl` itself, which must not lose its rights, or the server refuses
 */
export async function grantLogins(
  adminUrl: string,
  namespace: string,
  urls: ReadonlyMap<DatabaseService, string>,
): Promise<void> {
  const admin = await createConnection(driverUrl(adminUrl));
  try {
    for (const [service, url] of urls) {
      const variable = serviceUrlName("MYSQL_URL", service);
      const login = loginOf(url, variable);
      if (login.user === loginOf(adminUrl, "the URL of the migrations").user)
        throw new Error(`${variable} has the login of the migrations: give the service one of its own`);
      await applyLogin(admin, login, privilegesFor(namespace, service));
    }
  } finally {
    await admin.end();
  }
}

/** The administrator's login may not make logins: it is another's server. */
const notAllowed: ReadonlySet<unknown> = new Set([
  1044, // ER_DBACCESS_DENIED_ERROR
  1142, // ER_TABLEACCESS_DENIED_ERROR
  1227, // ER_SPECIFIC_ACCESS_DENIED_ERROR
  1410, // ER_CANT_CREATE_USER_WITH_GRANT
]);

interface Preparation {
  /** A login that may change tables and make logins. */
  readonly adminUrl: string;
  readonly namespace: string;
  readonly services?: readonly DatabaseService[];
  /** The folder whose env file keeps the passwords. */
  readonly stackDir: string;
}

/**
 * Migrates the databases of a system on this machine and makes the services' logins; returns their URLs by variable.
 * Where the administrator may not make logins, it says so and returns none: then all services use the administrator's.
 */
export async function prepareDatabases({
  adminUrl,
  namespace,
  services = databaseServices,
  stackDir,
}: Preparation): Promise<Record<string, string>> {
  await Promise.all(
    services.map((service) =>
      migrate(databaseName(service, namespace), migrationFolders[service], undefined, adminUrl),
    ),
  );
  const urls = await keptMysqlUrls(stackDir, { adminUrl, namespace, services });
  const byService = services.map((service): [DatabaseService, string] => [
    service,
    urls[serviceUrlName("MYSQL_URL", service)] as string,
  ]);
  try {
    await grantLogins(adminUrl, namespace, new Map(byService));
  } catch (error) {
    if (!notAllowed.has((error as { errno?: unknown }).errno)) throw error;
    const { message } = error as Error;
    await writeStackEnv(stackDir, Object.fromEntries(Object.keys(urls).map((variable) => [variable, undefined])));
    printLine(`MySQL: MYSQL_URL may not make a login for each service, so all use it as it is (${message})`);
    return {};
  }
  return urls;
}
