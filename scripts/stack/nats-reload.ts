import { inboxPrefixOf } from "../../broker/nats-names.ts";
import { sourceInfo } from "../../services/event-readers.ts";
import { converse } from "./converse.ts";
import type { Host } from "./host.ts";
import { type Login, type NatsUser, usersOf } from "./nats-accounts.ts";
import { becomesTrue } from "./wait.ts";

/** Reloads of a private NATS server, until it and JetStream answer its logins. */

/** How long the server may take to know new logins. */
const deadlineMs = 30_000;
/** How long JetStream may take for one answer. */
export const mostAnswerMs = 1_000;
/**
 * How long all logins may take to be answered after a reload, before the server is told to reload again: at first, and at
 * most. A server that is busy gets more time with each reload.
 */
const firstPatienceMs = 300;
const mostPatienceMs = 3_000;

export interface KeptLogin extends Login {
  readonly password: string;
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
export async function reachesJetStream(
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

/** The request by which a user asks whether JetStream answers; `undefined` for one whom it does not concern. */
export function infoOf({ account, permissions }: Pick<NatsUser, "account" | "permissions">, namespace: string) {
  if (account === "mirror") return sourceInfo(namespace);
  return account !== "JS" && permissions?.publish.allow.includes("$JS.API.INFO") ? "$JS.API.INFO" : undefined;
}

/**
 * Whether JetStream answers every login. After a reload of nats-server before 2.9.21 the imports of all accounts may lead
 * nowhere until the next one (its pull request 4327): then JetStream answers none of the services.
 */
async function answersAll({ running }: NatsServer, logins: readonly KeptLogin[], withinMs: number): Promise<boolean> {
  for (const { password, ...login } of logins)
    for (const { user, ...one } of usersOf(login)) {
      const info = infoOf(one, login.namespace);
      if (info === undefined) continue;
      for (const port of running) if (!(await reachesJetStream(port, { user, password, info, withinMs }))) return false;
    }
  return true;
}

/**
 * Tells the server to reload until all logins are in, and says whether they are in time. While JetStream is silent no
 * service reaches it, so the next reload follows soon; but the first request of an account may be lost after a reload.
 */
export async function reloadUntil(
  server: NatsServer,
  logins: readonly KeptLogin[],
  isIn: (withinMs: number) => Promise<boolean> = async () => true,
): Promise<boolean> {
  const until = Date.now() + deadlineMs;
  for (let patienceMs = firstPatienceMs; Date.now() < until; patienceMs = Math.min(2 * patienceMs, mostPatienceMs)) {
    await server.host.reload();
    const withinMs = Math.min(patienceMs / 2, mostAnswerMs);
    const areIn = async () => (await isIn(withinMs)) && (await answersAll(server, logins, withinMs));
    if (await becomesTrue(areIn, patienceMs)) return true;
  }
  return false;
}
