import { parseArgs } from "node:util";
import { isOwnRole, roleOf } from "../broker/bus/roles.ts";
import { isServiceName, serviceNames } from "../broker/service-names.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { accountsText, adminLogin, type Login } from "./stack/nats-accounts.ts";

const USAGE = `Prints the configuration of a NATS server for Ovation: accounts for Moleculer's bus, for JetStream and for each
service, and users with the rights of their jobs. docker/nats.conf is what it prints. The server reads the passwords from its environment, as the variables
that the users have in it; a password begins with a letter.

  npm run nats-config
  npm run nats-config -- --namespace NAME   of another namespace than ovation
  npm run nats-config -- --role gift+wallet a user for nodes of several services too; may be repeated`;

const server = `# Written by: npm run nats-config
port: 4222
# Health and statistics, for whoever is in the server's container: they name users, consumers and sequences.
http: "127.0.0.1:8222"

jetstream {
  store_dir: "/data"
  max_file_store: 16GB
  # HTTP 200 of gift/send means that JetStream has acked the gift. By default JetStream acks before a message is on disk
  # and syncs every two minutes, so a power failure would lose accepted gifts. With "always" the ack comes after the
  # sync, at the price of a slower publish. On a cluster with JETSTREAM_REPLICAS=3 the default will do.
  sync_interval: "always"
}

# Moleculer's bus, JetStream, each service, the mirror of EVENTS and its readers are accounts of their own: whoever
# pulls from a stream chooses where the server's answers go, and they stay in the account of the caller.
# Whoever connects without a login is refused. Passwords are variables of the server's environment.
`;

/** The variable with the password of a login: `<SERVICE>_NATS_PASSWORD`. */
export function passwordVariable({ role }: Pick<Login, "role">): string {
  if (role === adminLogin.role) return "NATS_ADMIN_PASSWORD";
  return `${role.toUpperCase().replaceAll(/[-+]/g, "_")}_NATS_PASSWORD`;
}

/** The whole configuration, for a namespace and further roles of nodes with several services. */
export function natsConfiguration(namespace = "ovation", roles: readonly string[] = []): string {
  const logins = ["events", ...serviceNames, ...roles].map((role) => ({ role, namespace }));
  return server + accountsText([adminLogin, ...logins], (login) => `$${passwordVariable(login)}`);
}

/** The same services in the order of roles. @throws Error where it names something else */
function checkedRole(role: string): string {
  if (!isOwnRole(role)) throw new Error(`no role: ${role}; it is the names of services, joined by +, or all`);
  return role === "all" ? role : roleOf(role.split("+").filter(isServiceName));
}

async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({
    options: { help: { type: "boolean" }, namespace: { type: "string" }, role: { type: "string", multiple: true } },
  });
  console.log(values.help ? USAGE : natsConfiguration(values.namespace, values.role?.map(checkedRole)).trimEnd());
  return 0;
}

if (process.argv[1]?.endsWith("nats-config.ts")) runCommand(main);
