import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { busUserOf, inboxPrefixOf } from "../../broker/nats-names.ts";
import { serviceNames } from "../../broker/service-names.ts";
import { serviceUrlName } from "../../config/config.ts";
import { sourceInfo } from "../../services/event-readers.ts";
import { converse } from "./converse.ts";
import { readIfThere, replaceFile } from "./files.ts";
import type { Host } from "./host.ts";
import { withLock } from "./lock.ts";
import {
  accountsText,
  adminLogin,
  type Login,
  type NatsUser,
  servicesOfRole,
  userOf,
  usersOf,
} from "./nats-accounts.ts";
import { announcing } from "./nats-announce.ts";
import { LOOPBACK } from "./ports.ts";
import { becomesTrue } from "./wait.ts";

/** The logins at the private NATS server: made when they are first asked for, kept beside the server's data. */

export interface KeptLogin extends Login {
  readonly password: string;
}

/** How long another process may hold the server's logins, or the server may take to know a new one. */
const deadlineMs = 30_000;
/**
 * How long JetStream may take to answer after a reload, before the server is told to reload again: at first, and at most.
 * A server that is busy gets more time with each reload.
 */
const answerWithinMs = { first: 100, most: 2_000 };
/** How long the server may take to know a login after a reload, before it is told to reload again. */
const reloadEveryMs = 500;

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

/** Whether the server lets a user in. */
export async function logsIn(port: number, user: string, password: string): Promise<boolean> {
  const connect = JSON.stringify({ verbose: false, pedantic: false, user, pass: password });
  const answer = await converse(port, `CONNECT ${connect}\r\nPING\r\n`, (text) => /^(PONG|-ERR .*)\r\n/m.test(text));
  return /^PONG\r\n/m.test(answer);
}

/**
 * Whether JetStream answers a user of an account that imports its API, by the request `info`. nats-server 2.9 follows
 * the imports of an account that a reload has added only after the next reload; until then it answers that nobody is
 * there, or nothing where the import has another name.
 */
async function reachesJetStream(
  port: number,
  { user, password, info, withinMs }: { user: string; password: string; info: string; withinMs: number },
): Promise<boolean> {
  const connect = { verbose: false, pedantic: false, headers: true, no_responders: true, user, pass: password };
  const inbox = `${inboxPrefixOf(user)}.stack`;
  const ask = `SUB ${inbox} 1\r\nPUB ${info} ${inbox} 0\r\n\r\n`;
  const isOver = (text: string) => /^(MSG|HMSG|-ERR) .*\r\n/m.test(text);
  const answer = converse(port, `CONNECT ${JSON.stringify(connect)}\r\n${ask}`, isOver, withinMs);
  return /^MSG /m.test(await answer.catch(() => ""));
}

/** The server of a stack, or the servers of its cluster, which have their logins in common. */
export interface NatsServer {
  readonly natsDir: string;
  /** Of all servers, as URLs name them. */
  readonly ports: readonly number[];
  /** Of those that run: a server that is started later reads the logins then. */
  readonly running: readonly number[];
  readonly host: Pick<Host, "reload">;
}

/** The logins that are needed for one: those of a node of many services are of its services too. */
function neededFor({ role, namespace, person }: Login): Login[] {
  // Readers of EVENTS read the mirror that a provisioner keeps.
  const roles = role === "events" ? ["provisioner"] : servicesOfRole(role);
  const services = roles.map((service) => ({ role: service, namespace }));
  const own = { role, namespace, ...(person === undefined ? {} : { person }) };
  return [...services.filter((login) => login.role !== role), own];
}

/** The request by which a user asks whether JetStream answers; `undefined` for one whom it does not concern. */
function infoOf({ account, permissions }: Pick<NatsUser, "account" | "permissions">, namespace: string) {
  if (account === "mirror") return sourceInfo(namespace);
  return account !== "JS" && permissions?.publish.allow.includes("$JS.API.INFO") ? "$JS.API.INFO" : undefined;
}

/**
 * Whether JetStream answers every login. After a reload of nats-server before 2.9.21 the imports of all accounts may lead
 * nowhere until the next one (its pull request 4327): then JetStream answers none of the services.
 */
async function answersAll({ natsDir, running }: NatsServer, withinMs: number): Promise<boolean> {
  for (const { password, ...login } of readLogins(natsDir))
    for (const { user, ...one } of usersOf(login)) {
      const info = infoOf(one, login.namespace);
      if (info === undefined) continue;
      for (const port of running) if (!(await reachesJetStream(port, { user, password, info, withinMs }))) return false;
    }
  return true;
}

/**
 * Tells the server to reload until all logins are in, and says whether they are in time. While JetStream is silent no
 * service reaches it, so the next reload follows at once.
 */
async function reloadUntil(server: NatsServer, isIn: (withinMs: number) => Promise<Standing>): Promise<boolean> {
  const until = Date.now() + deadlineMs;
  for (let { first: withinMs } = answerWithinMs; Date.now() < until; withinMs *= 2) {
    await server.host.reload();
    const within = Math.min(withinMs, answerWithinMs.most);
    let standing: Standing = "unknown";
    await becomesTrue(async () => {
      standing = await isIn(within);
      return standing !== "unknown";
    }, reloadEveryMs);
    if ((standing as Standing) === "in" && (await answersAll(server, within))) return true;
  }
  return false;
}

/** `unknown`: the server refuses the login; `silent`: JetStream does not answer it. */
type Standing = "in" | "unknown" | "silent";

/** Resolves once the server lets all of them in. Call it with the lock held. */
async function bringToServer(server: NatsServer, wanted: readonly Login[]): Promise<void> {
  const { natsDir, running } = server;
  const logins = kept(natsDir, [...standing, ...wanted]);
  await announceAccounts(server, logins);
  const areOthers = writeAccounts(natsDir, logins);
  const users = wanted.flatMap((login) =>
    usersOf(login).map((one) => ({ ...one, namespace: login.namespace, password: passwordOf(natsDir, login) })),
  );
  const standingOf = async (withinMs: number): Promise<Standing> => {
    for (const { user, password, ...one } of users)
      for (const port of running) {
        if (!(await logsIn(port, user, password))) return "unknown";
        const info = infoOf(one, one.namespace);
        if (info !== undefined && !(await reachesJetStream(port, { user, password, info, withinMs }))) return "silent";
      }
    return "in";
  };
  // On a busy machine the server may answer nobody for seconds while it reads its configuration.
  let complaint = "";
  const areIn = (withinMs: number) =>
    standingOf(withinMs).catch((error: Error): Standing => {
      complaint = ` (${error.message})`;
      return "unknown";
    });
  if (!areOthers && (await areIn(answerWithinMs.most)) === "in") return;
  if (await reloadUntil(server, areIn)) return;
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
    if (writeAccounts(natsDir, left)) await reloadUntil(server, async () => "in");
  });
}
