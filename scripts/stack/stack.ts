import { rmSync } from "node:fs";
import { printLine } from "../../broker/outputs.ts";
import { adopt, launchAll, type Member, type Up } from "./bring-up.ts";
import { isServerUrl, readStackEnv, writeStackEnv } from "./env-file.ts";
import { readRecord, recordFile } from "./host.ts";
import { withLock } from "./lock.ts";
import type { ServerName, ServerPlan } from "./server.ts";
import { ServerWatch, type WatchOptions } from "./server-watch.ts";
import { defaultStackDir, openStackDir, PLANS, recordedHost, siteOf } from "./sites.ts";
import { addUser, removeUsers, type StackUser, stackUsers } from "./users.ts";

type Log = (line: string) => void;

/** Long enough for the first start of another process, which may install programs. */
const LOCK_DEADLINE_MS = 15 * 60_000;
const PREFERRED_PORTS: Record<ServerName, number> = { nats: 14222, redis: 16379, mysql: 13306 };

export interface StackOptions {
  /** Folder of the servers' data, logs and records; `.stack` in the project by default. One folder, one stack. */
  dir?: string;
  /** The first port to try for each server; the next free one is used where it is taken. */
  preferredPorts?: Partial<Record<ServerName, number>>;
  /** Called with a line for each step. */
  log?: Log;
  /**
   * The environment from which NATS_URL, REDIS_URL and MYSQL_URL are read; a server that is set there is neither
   * started nor changed.
   */
  env?: NodeJS.ProcessEnv;
  /** The servers stay up after this process, until stopStack. */
  permanent?: boolean;
}

export interface Stack {
  /** The administrators' URLs, or those of the environment. */
  natsUrl: string;
  redisUrl: string;
  mysqlUrl: string;
  /** The stack's folder, for readStackEnv and writeStackEnv. */
  dir: string;
  /** False where every server was running already or was set in the environment. */
  started: boolean;
  /** The origin of each server. */
  servers: Record<ServerName, "started" | "adopted" | "environment">;
  /** Supervises the servers of this folder while this caller uses them. Stop it before the stack. */
  watch(options: WatchOptions): ServerWatch;
  /**
   * Ends this caller's use of the servers. If no other live process, nor the command line, uses them, it ends the
   * servers and resolves when they have ended. Later calls do nothing.
   */
  stop(): Promise<void>;
}

/**
 * Makes sure that the private servers of this folder run and answer, and registers this process as their user. Running
 * servers are adopted, dead ones are started again. When it returns, their URLs are in the folder's env file; URLs from
 * the environment are not written there. Throws where a server cannot be started or its program cannot be installed.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dir = openStackDir(options.dir ?? defaultStackDir());
  const { log = printLine, env = process.env } = options;
  const own = PLANS.filter((plan) => !env[plan.variable]);
  const members = own.map((plan) => ({
    plan,
    site: siteOf(dir, plan, env, log),
    preferredPort: options.preferredPorts?.[plan.name] ?? PREFERRED_PORTS[plan.name],
  }));
  const { up, user } = await locked(dir, log, async () => {
    await forgetFormerCommandLine(dir, env, log);
    const servers = await bringUp(members);
    const urls = servers.map(
      ({ plan, site, port }) => plan.env?.(site, port) ?? { [plan.variable]: plan.url(site, port) },
    );
    const admin = servers.flatMap(({ plan, site, port }) =>
      plan.name === "mysql" ? [{ MYSQL_ADMIN_URL: plan.url(site, port) }] : [],
    );
    await writeStackEnv(dir, Object.assign({}, ...urls, ...admin));
    return { up: servers, user: addUser(dir, options.permanent ?? false) };
  });
  const urlOf = (plan: ServerPlan) => {
    const server = up.find((candidate) => candidate.plan === plan);
    return server === undefined ? env[plan.variable]! : plan.url(server.site, server.port);
  };
  const [natsUrl, redisUrl, mysqlUrl] = PLANS.map(urlOf) as [string, string, string];
  let stopping: Promise<void> | undefined;
  return {
    natsUrl,
    redisUrl,
    mysqlUrl,
    dir,
    started: up.some((server) => server.started),
    servers: sourcesOf(up),
    watch: (watchOptions) =>
      new ServerWatch({
        ...watchOptions,
        servers: up,
        isUser: () => stackUsers(dir).some(({ id }) => id === user),
        locked: (task) => locked(dir, log, task),
      }),
    stop: () => {
      stopping ??= leave(dir, log, user);
      return stopping;
    },
  };
}

/** The command line is registered for servers that it leaves running. Where none runs, that was before a reboot. */
async function forgetFormerCommandLine(dir: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  const found = PLANS.map((plan) => recordedHost(plan, siteOf(dir, plan, env, log)).find());
  if ((await Promise.all(found)).every((server) => server === undefined)) removeUsers(dir, (user) => user.permanent);
}

async function bringUp(members: Member[]): Promise<Up[]> {
  const adopted = (await Promise.all(members.map(adopt))).filter((server) => server !== undefined);
  const isUp = (member: Member) => adopted.some((server) => server.plan === member.plan);
  const absent = members.filter((member) => !isUp(member));
  if (absent.length === 0) return adopted;
  const inUse = adopted.map((server) => server.port);
  return [...adopted, ...(await launchAll(absent, inUse))];
}

function sourcesOf(up: Up[]): Stack["servers"] {
  const sources: Stack["servers"] = { nats: "environment", redis: "environment", mysql: "environment" };
  for (const server of up) sources[server.plan.name] = server.started ? "started" : "adopted";
  return sources;
}

function leave(dir: string, log: Log, id: string): Promise<void> {
  return locked(dir, log, async () => {
    const others = removeUsers(dir, (user) => user.id === id);
    if (others.length === 0) await endServers(dir, log);
  });
}

/**
 * Ends the servers of this folder that the command line left running. If live processes still use them, they keep
 * running, end with the last of these, and the processes are returned; `force` ends them anyway.
 */
export async function stopStack(options: { dir?: string; log?: Log; force?: boolean } = {}): Promise<StackUser[]> {
  const dir = openStackDir(options.dir ?? defaultStackDir());
  const log = options.log ?? printLine;
  return locked(dir, log, async () => {
    const users = removeUsers(dir, (user) => user.permanent || options.force === true);
    if (users.length === 0) await endServers(dir, log);
    return users;
  });
}

async function endServers(dir: string, log: Log): Promise<void> {
  const endings = PLANS.map(async (plan) => {
    const site = siteOf(dir, plan, process.env, log);
    const host = recordedHost(plan, site);
    if ((await host.find()) !== undefined) log(`${plan.title}: stopping`);
    await host.end();
    plan.tidy?.(site);
    rmSync(recordFile(site), { force: true });
  });
  await Promise.all(endings);
  const urls = Object.keys(readStackEnv(dir)).filter(isServerUrl);
  await writeStackEnv(dir, Object.fromEntries(urls.map((key) => [key, undefined])));
}

interface ServerStatus {
  title: string;
  name: ServerName;
  state: "answers" | "silent" | "stopped";
  port: number | undefined;
  pid: number | undefined;
}

/** The state of the servers of this folder, and their users. Changes nothing. */
export async function stackStatus(dir?: string): Promise<{ dir: string; servers: ServerStatus[]; users: StackUser[] }> {
  const stackDir = openStackDir(dir ?? defaultStackDir());
  const servers = PLANS.map(async (plan): Promise<ServerStatus> => {
    const site = siteOf(stackDir, plan, process.env, () => undefined);
    const found = await recordedHost(plan, site).find();
    const port = found?.port ?? readRecord(site)?.port;
    const about = { title: plan.title, name: plan.name, port, pid: found?.pid };
    if (found === undefined || port === undefined) return { ...about, state: "stopped" };
    const answers = await plan.probe(site, port, found.pid).then(
      () => true,
      () => false,
    );
    return { ...about, state: answers ? "answers" : "silent" };
  });
  return { dir: stackDir, servers: await Promise.all(servers), users: stackUsers(stackDir) };
}

function locked<T>(dir: string, log: Log, task: () => Promise<T>): Promise<T> {
  const onWait = (holder: number) => log(`waiting for process ${holder}, which is starting or stopping these servers`);
  return withLock(dir, "stack", { deadlineMs: LOCK_DEADLINE_MS, onWait }, task);
}
