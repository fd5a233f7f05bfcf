import { HaStack } from "./ha/ha-stack.ts";
import { nats } from "./nats.ts";
import { type Login, userOf } from "./nats-accounts.ts";
import type { NatsServer } from "./nats-reload.ts";
import { addLogin, type NatsUrls, removeLogins } from "./nats-users.ts";
import { openStackDir, recordedHost, siteOf } from "./sites.ts";

export type { NatsUrls } from "./nats-users.ts";

/** The private NATS server of a stack's folder, or its cluster; `undefined` where none runs. */
async function serverOf(stackDir: string): Promise<NatsServer | undefined> {
  const dir = openStackDir(stackDir);
  const cluster = await HaStack.of(dir)?.natsServers();
  if (cluster) return cluster;
  const site = siteOf(dir, nats, process.env, () => undefined);
  const host = recordedHost(nats, site);
  const port = (await host.find())?.port;
  return port === undefined ? undefined : { natsDir: site.dir, ports: [port], running: [port], host };
}

/**
 * Makes sure that a login exists at the private NATS server of a stack's folder: of a service, of a node of many (their
 * names joined by `+`, or `all`), or of a person's console. Resolves, with its URLs, once it works there. It outlives
 * restarts of the server, and others may ask for the same at once. @throws Error where the server does not run
 */
export async function ensureNatsLogin(stackDir: string, login: Login): Promise<NatsUrls> {
  const server = await serverOf(stackDir);
  if (!server) throw new Error(`the private NATS server of ${stackDir} does not run: npm run stack -- start`);
  return addLogin(server, login);
}

/** Removes all logins of a namespace from the private server; nothing where it does not run. */
export async function removeNatsLogins(stackDir: string, namespace: string): Promise<void> {
  const server = await serverOf(stackDir);
  if (server) await removeLogins(server, (login) => login.namespace === namespace);
}

/** Removes one login, e.g. of a person's console, and ends its connections; nothing where the server does not run. */
export async function removeNatsLogin(stackDir: string, removed: Login): Promise<void> {
  const server = await serverOf(stackDir);
  if (server) await removeLogins(server, (login) => userOf(login) === userOf(removed));
}
