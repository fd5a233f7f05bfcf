import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { busUserOf } from "../../broker/nats-names.ts";
import { serviceNames } from "../../broker/service-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { readIfThere, replaceFile } from "./files.ts";
import { withLock } from "./lock.ts";
import { accountsText, adminLogin, type Login, servicesOfRole, userOf, usersOf } from "./nats-accounts.ts";
import { announcing } from "./nats-announce.ts";
import {
  infoOf,
  type KeptLogin,
  logsIn,
  mostAnswerMs,
  type NatsServer,
  reachesJetStream,
  reloadUntil,
} from "./nats-reload.ts";
import { LOOPBACK } from "./ports.ts";

/** The logins at the private NATS server: made when they are first asked for, kept beside the server's data. */

/** How long another process may hold the server's logins. */
const deadlineMs = 30_000;

const loginsFile = (natsDir: string) => join(natsDir, "logins.json");
/** The folder of the server's configuration. As a whole it is mounted into a container, since its files are replaced. */
export const confDir = (natsDir: string) => join(natsDir, "conf");
const accountsFile = (natsDir: string) => join(confDir(natsDir), "accounts.conf");

const isSame = (one: Login, other: Login) => userOf(one) === userOf(other);

function readLogins(natsDir: string): KeptLogin[] {
  return JSON.parse(readIfThere(loginsFile(natsDir)) ?? "[]") as KeptLogin[];
}

/** Those that every private server has: the administrator, and the default namespace's services and readers. */
const standing: readonly Login[] = [
  adminLogin,
  ...["events", ...serviceNames].map((role) => ({ role, namespace: "ovation" })),
];

function kept(natsDir: string, wanted: readonly Login[]): KeptLogin[] {
  const known = readLogins(natsDir);
  const missing = wanted.filter((login) => !known.some((one) => isSame(one, login)));
  // Only hexadecimal digits after a letter: nothing has to be escaped in a URL or in the server's configuration.
  const made = missing.map((login) => ({ ...login, password: `p${randomBytes(24).toString("hex")}` }));
  const all = [...known, ...made];
  if (made.length > 0) replaceFile(loginsFile(natsDir), `${JSON.stringify(all, null, 1)}\n`);
  return all;
}

const textOf = (logins: readonly KeptLogin[]) => accountsText(logins, ({ password }) => JSON.stringify(password));

/** Lets each server of a cluster know the names of new accounts. */
async function announceAccounts({ natsDir, ports, host }: NatsServer, logins: readonly KeptLogin[]): Promise<void> {
  const former = ports.length > 1 ? readIfThere(accountsFile(natsDir)) : undefined;
  const text = former && announcing(former, textOf(logins));
  if (!text) return;
  replaceFile(accountsFile(natsDir), text);
  await host.reload();
}

/** Writes the server's accounts. Returns whether they were others. */
function writeAccounts(natsDir: string, logins: readonly KeptLogin[]): boolean {
  mkdirSync(confDir(natsDir), { recursive: true, mode: 0o700 });
  const text = textOf(logins);
  if (readIfThere(accountsFile(natsDir)) === text) return false;
  replaceFile(accountsFile(natsDir), text);
  return true;
}

const locked = <T>(natsDir: string, task: () => Promise<T> | T) => withLock(natsDir, "logins", { deadlineMs }, task);

/** Writes the accounts of a server that is about to start; its other configuration includes the file `accounts.conf`. */
export function prepareAccounts(natsDir: string): Promise<void> {
  return locked(natsDir, () => void writeAccounts(natsDir, kept(natsDir, standing)));
}

/** The password of a login that the private server has. */
export function passwordOf(natsDir: string, login: Login): string {
  const found = readLogins(natsDir).find((one) => isSame(one, login));
  if (!found) throw new Error(`the private NATS server has no login ${userOf(login)}`);
  return found.password;
}

/** The URL of a login at the servers of these ports; its user names may have any characters. */
export function natsUrl(ports: readonly number[], user: string, password: string): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return ports.map((port) => `nats://${login}@${LOOPBACK}:${port}`).join(",");
}

/** What the private server's URLs are called in the stack's env file. */
export function standingUrls(natsDir: string, ports: readonly number[]): Record<string, string> {
  const url = (login: Login) => natsUrl(ports, userOf(login), passwordOf(natsDir, login));
  const admin = passwordOf(natsDir, adminLogin);
  return {
    NATS_URL: ports.map((port) => `nats://${LOOPBACK}:${port}`).join(","),
    NATS_ADMIN_URL: url(adminLogin),
    NATS_BUS_ADMIN_URL: natsUrl(ports, busUserOf(userOf(adminLogin)), admin),
    EVENTS_NATS_URL: url({ role: "events", namespace: "ovation" }),
    ...Object.fromEntries(
      serviceNames.map((role) => [serviceUrlName("NATS_URL", role), url({ role, namespace: "ovation" })]),
    ),
  };
}

/** The logins that are needed for one: those of a node of many services are of its services too. */
function neededFor({ role, namespace, person }: Login): Login[] {
  // Readers of EVENTS read the mirror that a provisioner keeps.
  const roles = role === "events" ? ["provisioner"] : servicesOfRole(role);
  const services = roles.map((service) => ({ role: service, namespace }));
  const own = { role, namespace, ...(person === undefined ? {} : { person }) };
  return [...services.filter((login) => login.role !== role), own];
}

/** Resolves once the server lets all of them in. Call it with the lock held. */
async function bringToServer(server: NatsServer, wanted: readonly Login[]): Promise<void> {
  const { natsDir, running } = server;
  const logins = kept(natsDir, [...standing, ...wanted]);
  await announceAccounts(server, logins);
  const areOthers = writeAccounts(natsDir, logins);
  const users = wanted.flatMap((login) =>
    usersOf(login).map((one) => ({ ...one, namespace: login.namespace, password: passwordOf(natsDir, login) })),
  );
  const everyoneIn = async (withinMs: number): Promise<boolean> => {
    for (const { user, password, ...one } of users)
      for (const port of running) {
        if (!(await logsIn(port, user, password))) return false;
        const info = infoOf(one, one.namespace);
        if (info !== undefined && !(await reachesJetStream(port, { user, password, info, withinMs }))) return false;
      }
    return true;
  };
  // On a busy machine the server may answer nobody for seconds while it reads its configuration.
  let complaint = "";
  const areIn = (withinMs: number) =>
    everyoneIn(withinMs).catch((error: Error) => {
      complaint = ` (${error.message})`;
      return false;
    });
  if (!areOthers && (await areIn(mostAnswerMs))) return;
  if (await reloadUntil(server, logins, areIn)) return;
  const names = users.map(({ user }) => user).join(", ");
  throw new Error(`the private NATS server does not know ${names}${complaint}: see its log`);
}

/** The URLs of a login. */
export interface NatsUrls {
  /** At Moleculer's bus. */
  readonly busUrl: string;
  /**
   * The settings of a node: NATS_URL, with the login of its role, and of a node of many services `<SERVICE>_NATS_URL`
   * with those of its services.
   */
  readonly env: Readonly<Record<string, string>>;
}

/** Adds a login to a running server; resolves once it works there. */
export async function addLogin(server: NatsServer, login: Login): Promise<NatsUrls> {
  const needed = neededFor(login);
  await locked(server.natsDir, () => bringToServer(server, needed));
  const { natsDir, ports } = server;
  const password = passwordOf(natsDir, login);
  const url = (one: Login) => natsUrl(ports, userOf(one), passwordOf(natsDir, one));
  const services = servicesOfRole(login.role);
  const ofServices = services.map((role): [string, string] => [
    serviceUrlName("NATS_URL", role),
    url({ role, namespace: login.namespace }),
  ]);
  return {
    busUrl: natsUrl(ports, busUserOf(userOf(login)), password),
    env: { NATS_URL: url(login), ...(services.length > 1 ? Object.fromEntries(ofServices) : {}) },
  };
}

/** Removes the logins that `goes` names, and ends their connections. */
export async function removeLogins(server: NatsServer, goes: (login: Login) => boolean): Promise<void> {
  const { natsDir } = server;
  await locked(natsDir, async () => {
    const left = readLogins(natsDir).filter((login) => !goes(login));
    replaceFile(loginsFile(natsDir), `${JSON.stringify(left, null, 1)}\n`);
    if (writeAccounts(natsDir, left)) await reloadUntil(server, left);
  });
}
