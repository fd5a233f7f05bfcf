import { databaseName, serviceUrlName } from "../config/config.ts";
import { applyLogin, databasePlace, loginOf, type Privileges } from "../mixins/mysql/grants.ts";
import { openConnection } from "../mixins/mysql/servers.ts";
import { urlAt, type WalletServer } from "../services/wallet-servers.ts";
import { servicesByUser } from "./add-servers.ts";
import {
  type DatabaseService,
  movingPrivileges,
  privilegesFor,
  requireOwnLogins,
  requireSeenRights,
} from "./databases.ts";

/**
 * What a service's login may do on a further server. The auditor and the archiver have no database there: one reads what is
 * by user, the other moves closed months.
 */
function privilegesAt(namespace: string, service: DatabaseService): Privileges | undefined {
  if (service === "auditor")
    return new Map(servicesByUser.map((other) => [databasePlace(databaseName(other, namespace)), ["SELECT"]]));
  if (service === "archiver") return movingPrivileges(namespace, service);
  return (servicesByUser as readonly string[]).includes(service) ? privilegesFor(namespace, service) : undefined;
}

/**
 * Gives the services' logins, by their URLs at the home server, the rights of their jobs on the further servers. @throws
 * before it changes anything there, where a login is not a service's own, or has rights that cannot be seen
 */
export async function grantAtServers(
  [, ...further]: readonly [WalletServer, ...WalletServer[]],
  { adminUrl, namespace, urls }: { adminUrl: string; namespace: string; urls: ReadonlyMap<DatabaseService, string> },
): Promise<void> {
  const logins = [...urls].flatMap(([service, url]) => {
    const variable = serviceUrlName("MYSQL_URL", service);
    const privileges = privilegesAt(namespace, service);
    return privileges ? [{ variable, privileges, login: loginOf(url, variable) }] : [];
  });
  for (const server of further) {
    const adminThere = urlAt(server, adminUrl);
    requireOwnLogins(adminThere, urls);
    const admin = await openConnection(adminThere);
    try {
      await requireSeenRights(admin, logins);
      for (const { login, privileges } of logins) await applyLogin(admin, login, privileges);
    } finally {
      await admin.end();
    }
  }
}
