import { parseArgs } from "node:util";
import { serviceUrlName } from "../config/config.ts";
import { redisRules, redisServices } from "../services/redis-access.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { redisUser } from "./stack/redis-logins.ts";

const USAGE = `Prints the users of a Redis server for Ovation, for its configuration: the administrator, and a login for each
service that uses Redis, with the rights of its job. docker/redis-users.conf is what it prints. Redis reads no variables:
write the passwords in their places.

  npm run redis-config
  npm run redis-config -- --namespace NAME   of another namespace than ovation`;

/** The variable with the password of a service's login; without a service that of the administrator. */
export function redisPassword(service?: string): string {
  return service === undefined ? "REDIS_PASSWORD" : serviceUrlName("REDIS_URL", service).replace(/URL$/, "PASSWORD");
}

/** The lines of all logins. */
export function redisUsers(namespace = "ovation"): string {
  const own = redisServices.map((service) => [
    ...[redisUser(namespace, service), "on", `>$${redisPassword(service)}`],
    ...redisRules(service, namespace),
  ]);
  const admin = ["default", "on", `>$${redisPassword()}`, "~*", "&*", "+@all"];
  return [admin, ...own].map((user) => `user ${user.join(" ")}\n`).join("");
}

async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({ options: { help: { type: "boolean" }, namespace: { type: "string" } } });
  console.log(values.help ? USAGE : redisUsers(values.namespace).trimEnd());
  return 0;
}

if (process.argv[1]?.endsWith("redis-config.ts")) runCommand(main);
