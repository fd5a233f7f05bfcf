import { serviceNames } from "../../broker/service-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { loginOf } from "../../mixins/mysql/grants.ts";
import { countLogins, type LoginUse } from "./login-cpu.ts";
import type { BenchServers } from "./servers.ts";

/** By service: what the database server did for its login. */
export type ServiceUses = Readonly<Record<string, LoginUse>>;

/** As `countLogins`, by service. Services for which nothing was done are not in it; it is empty where nothing is counted. */
export async function countServiceLogins({ env }: Pick<BenchServers, "env">): Promise<() => Promise<ServiceUses>> {
  const uses = await countLogins();
  const logins = serviceNames.flatMap((service) => {
    const name = serviceUrlName("MYSQL_URL", service);
    const url = env[name];
    return url === undefined ? [] : [{ service, user: loginOf(url, name).user }];
  });
  return async () => {
    const found = await uses();
    return Object.fromEntries(
      logins.flatMap(({ service, user }) => {
        const use = found?.get(user);
        return use === undefined || use.statements === 0 ? [] : [[service, use]];
      }),
    );
  };
}
