import type { Connection } from "mysql2/promise";
import { printLine } from "../broker/outputs.ts";
import { databaseName, serviceUrlName } from "../config/config.ts";
import {
  applyLogin,
  databasePlace,
  type Login,
  loginOf,
  obstaclesOf,
  type Privileges,
  tablePlace,
} from "../mixins/mysql/grants.ts";
import { migrate } from "../mixins/mysql/migrate.ts";
import { openConnection } from "../mixins/mysql/servers.ts";
import { movesRowsIn } from "../services/archive-rights.ts";
import { databaseRights, privilegesOn, readsDatabasesOf } from "../services/database-rights.ts";
import { migrationFolders } from "../services/databases.ts";
import { writeStackEnv } from "./stack/env-file.ts";
import { keptMysqlUrls } from "./stack/mysql-logins.ts";

export type DatabaseService = keyof typeof migrationFolders;

export const databaseServices = Object.keys(migrationFolders) as DatabaseService[];

export const hasDatabase = (service: string): service is DatabaseService => Object.hasOwn(migrationFolders, service);

/** What a service's login may do: by table in its own database, for a reader of all databases to read the others, and for the archiver to move rows. */
export function privilegesFor(namespace: string, service: DatabaseService): Privileges {
  const own = databaseName(service, namespace);
  const tables = Object.entries(databaseRights[service]);
  const others = readsDatabasesOf[service] ?? [];
  return new Map([
    ...tables.map(([table, right]) => [tablePlace(own, table), privilegesOn(table, right)] as const),
    ...others.map((other) => [databasePlace(databaseName(other, namespace)), ["SELECT"]] as const),
    ...movingPrivileges(namespace, service),
  ]);
}

/** What a service's login may do where it moves rows: the archiver's. */
export function movingPrivileges(namespace: string, service: DatabaseService): Privileges {
  return new Map(
    Object.entries(movesRowsIn[service] ?? {}).flatMap(([other, tables]) =>
      Object.entries(tables).map(
        ([table, privileges]) => [tablePlace(databaseName(other, namespace), table), privileges] as const,
      ),
    ),
  );
}

/**
 * Each service has a login of its own: what one is given would be taken from the other. @throws where two of the URLs
 * have one login, or one has that of `adminUrl`, which must not lose its rights; nothing was changed
 */
export function requireOwnLogins(adminUrl: string, urls: ReadonlyMap<DatabaseService, string>): void {
  const owners = new Map<string, string>();
  for (const [service, url] of urls) {
    const variable = serviceUrlName("MYSQL_URL", service);
    const { user } = loginOf(url, variable);
    if (user === loginOf(adminUrl, "the URL of the migrations").user)
      throw new Error(`${variable} has the login of the migrations: give the service one of its own`);
    const other = owners.get(user);
    if (other !== undefined)
      throw new Error(`${other} and ${variable} have one login, ${user}: give each service one of its own`);
    owners.set(user, variable);
  }
}

/** @throws Error where something else than this command decides what one of the logins may do at the server */
export async function requireSeenRights(
  admin: Connection,
  logins: readonly { readonly variable: string; readonly login: Login }[],
): Promise<void> {
  for (const { variable, login } of logins) {
    const obstacles = await obstaclesOf(admin, login.user);
    if (obstacles.length > 0)
      throw new Error(
        `${variable}: what ${login.user} may do is not decided by this command alone, so it changed no rights: ` +
          `${obstacles.join(", ")}. Remove it, or give the service another login`,
      );
  }
}

/**
 * Makes the services' logins as their URLs have them, by service, with exactly the rights of database-rights.ts. The
 * tables must be there. A URL without a password names an account that exists. @throws before it changes anything,
 * where a login is not a service's own, or has rights that cannot be seen; and where the server refuses
 */
export async function grantLogins(
  adminUrl: string,
  namespace: string,
  urls: ReadonlyMap<DatabaseService, string>,
): Promise<void> {
  requireOwnLogins(adminUrl, urls);
  const admin = await openConnection(adminUrl);
  try {
    const logins = [...urls].map(([service, url]) => {
      const variable = serviceUrlName("MYSQL_URL", service);
      return { service, variable, login: loginOf(url, variable) };
    });
    await requireSeenRights(admin, logins);
    for (const { service, login } of logins) await applyLogin(admin, login, privilegesFor(namespace, service));
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
