import { parseArgs } from "node:util";
import type { NodeRelease } from "../broker/releases.ts";
import { config, databaseName, readConfigAgain, serviceUrlName } from "../config/config.ts";
import { serversOf } from "../config/server-urls.ts";
import { Database } from "../mixins/mysql/database.ts";
import { migrate, migrationUrl } from "../mixins/mysql/migrate.ts";
import { type Migration, readMigrations } from "../mixins/mysql/migration-files.ts";
import { recordApplied } from "../mixins/mysql/record-applied.ts";
import { pendingOf, schemaOrNone } from "../mixins/mysql/schema.ts";
import { migrationFolders } from "../services/databases.ts";
import { walletServers } from "../services/wallet-servers.ts";
import { addServers, removeServer } from "./add-servers.ts";
import { nodesOnBus, whyNotContract } from "./bus-releases.ts";
import {
  type DatabaseService,
  databaseServices,
  grantLogins,
  prepareDatabases,
  requireOwnLogins,
} from "./databases.ts";
import { grantAtServers } from "./grant-at-servers.ts";
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

/** The contracts that a service's database lacks. */
async function lackingContracts(service: DatabaseService): Promise<Migration[]> {
  const name = databaseName(service);
  const database = new Database(name, { url: migrationUrl(), connections: 1 });
  try {
    const migrations = readMigrations(migrationFolders[service]);
    return pendingOf(name, await schemaOrNone(database), migrations).filter(({ kind }) => kind === "contract");
  } finally {
    await database.close();
  }
}

/** @throws Error where contracts are missing that a node on the bus is too old for, or no node is heard; nothing is applied */
async function requireNewNodes(nodes: readonly NodeRelease[]): Promise<void> {
  const contracts = (await Promise.all(databaseServices.map(lackingContracts))).flat();
  const reason = whyNotContract(contracts, nodes);
  if (reason !== undefined) throw new Error(reason);
}

/**
 * A step of a release, before the new nodes start: applies the missing expands to every service's database, as
 * MYSQL_MIGRATION_URL (else MYSQL_URL), while nodes run, and gives each service's login, `<SERVICE>_MYSQL_URL`, the rights of its job. A
 * login that is missing is made. On the private servers of this folder the logins are chosen here. With
 * `--applied PATH` it only records that this migration was applied by hand. Where WALLET_MYSQL_URLS names further servers,
 * it makes them ready too, with the same logins; `--remove-server NAME` takes the name of one back that no move names.
 *
 * `--contract` is the step after a release: it also applies the missing contracts, which remove what nodes of earlier
 * releases need. It hears on the bus, as the console of `--as NAME`, that none of those runs (docs/releasing.md);
 * `--stopped` says that no node runs at all.
 */
async function main(): Promise<void> {
  requireNode();
  const { values } = parseArgs({
    options: {
      ...{ applied: { type: "string" }, "remove-server": { type: "string" }, contract: { type: "boolean" } },
      ...{ stopped: { type: "boolean" }, as: { type: "string" } },
    },
  });
  const contract = values.contract === true;
  const nodes = contract && !values.stopped ? await nodesOnBus(values.as) : undefined;
  // The console had its own login.
  readConfigAgain();
  const stackDir = defaultStackDir();
  useStackEnv(stackDir);
  if (values.applied !== undefined) return record(values.applied);
  const { MYSQL_MIGRATION_URL, MYSQL_URL, NAMESPACE: namespace } = config();
  const adminUrl = MYSQL_MIGRATION_URL ?? MYSQL_URL;
  const removed = values["remove-server"];
  if (removed !== undefined) {
    await removeServer(removed, adminUrl);
    console.log(`server ${removed} has no name any more: take it out of WALLET_MYSQL_URLS`);
    return;
  }
  const isOwnServer = adminUrl === readStackEnv(stackDir).MYSQL_ADMIN_URL;
  const urls = isOwnServer ? new Map<DatabaseService, string>() : givenUrls();
  requireOwnLogins(adminUrl, urls);
  if (nodes) await requireNewNodes(nodes);
  for (const service of databaseServices) {
    const applied = await migrate(databaseName(service), migrationFolders[service], undefined, adminUrl, contract);
    const what = applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`;
    console.log(`${databaseName(service).padEnd(24)} ${what}`);
  }
  const named = walletServers();
  const servers = named && named.length > 1 ? named : undefined;
  const numbers = servers && (await addServers(servers, adminUrl));
  for (const [name, number] of numbers ?? []) console.log(`server ${name.padEnd(17)} number ${number}, ready`);
  if (isOwnServer) {
    const own = await prepareDatabases({ adminUrl, namespace, stackDir });
    const given = databaseServices.flatMap((service): [DatabaseService, string][] => {
      const url = own[serviceUrlName("MYSQL_URL", service)];
      return url ? [[service, url]] : [];
    });
    if (servers) await grantAtServers(servers, { adminUrl, namespace, urls: new Map(given) });
    console.log("each service has its login, with the rights of its job");
    return;
  }
  for (const service of databaseServices)
    if (!urls.has(service))
      console.log(
        `${serviceUrlName("MYSQL_URL", service)} is not set: the login of ${service} and its rights stay as they are`,
      );
  await grantLogins(adminUrl, namespace, urls);
  if (servers) await grantAtServers(servers, { adminUrl, namespace, urls });
  for (const [service, url] of urls)
    console.log(`${serversOf(url)[0].username.padEnd(24)} has the rights of ${service}`);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
