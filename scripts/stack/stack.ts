import { rmSync } from "node:fs";
import { printLine } from "../../broker/outputs.ts";
import { bringUpAll, type Source, type StackOptions } from "./bring-up-all.ts";
import { isOfServers, readStackEnv, writeStackEnv } from "./env-file.ts";
import { endHa, haRuns } from "./ha/bring-up.ts";
import { HaStack, type HaStatus } from "./ha/ha-stack.ts";
import { readRecord, recordFile } from "./host.ts";
import { withLock } from "./lock.ts";
import type { ServerName, ServerPlan } from "./server.ts";
import { ServerWatch, type WatchOptions } from "./server-watch.ts";
import { defaultStackDir, openStackDir, PLANS, recordedHost, siteOf } from "./sites.ts";
import { addUser, removeUsers, type StackUser, stackUsers } from "./users.ts";

type Log = (line: string) => void;

/** Long enough for the first start of another process, which may install programs. */
const LOCK_DEADLINE_MS = 15 * 60_000;

export type { StackOptions } from "./bring-up-all.ts";

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
  servers: Record<ServerName, Source>;
  /**
   * Supervises the servers of this folder while this caller uses them; not those of several, one of which may be away.
   * Stop it before the stack.
   */
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
  const { urls, up, servers, user } = await locked(dir, log, async () => {
    await forgetFormerCommandLine(dir, env, log);
    const found = await bringUpAll(options, dir);
    await writeStackEnv(dir, found.kept);
    return { ...found, user: addUser(dir, options.permanent ?? false) };
  });
  let stopping: Promise<void> | undefined;
  return {
    natsUrl: urls.nats,
    redisUrl: urls.redis,
    mysqlUrl: urls.mysql,
    dir,
    started: Object.values(servers).includes("started"),
    servers,
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
  if (await haRuns(dir)) return;
  if ((await Promise.all(found)).every((server) => server === undefined)) removeUsers(dir, (user) => user.permanent);
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
  const several = HaStack.of(dir, log);
  await Promise.all([...endings, several && endHa(several)]);
  const urls = Object.keys(readStackEnv(dir)).filter(isOfServers);
  await writeStackEnv(dir, Object.fromEntries(urls.map((key) => [key, undefined])));
}

interface ServerStatus {
  title: string;
  /** The kind; one of several has its number, e.g. `mysql-2`. */
  name: string;
  state: HaStatus["state"];
  port: number | undefined;
  pid: number | undefined;
  /** Of one of several: its part among the others. */
  part?: string;
}

/** The state of the servers of this folder, and their users. Changes nothing. */
export async function stackStatus(dir?: string): Promise<{ dir: string; servers: ServerStatus[]; users: StackUser[] }> {
  const stackDir = openStackDir(dir ?? defaultStackDir());
  const several = (await haRuns(stackDir)) ? await HaStack.of(stackDir)?.status() : undefined;
  const servers =
    several?.map((server) => ({ ...server, title: server.name })) ??
    (await Promise.all(PLANS.map((plan) => singleStatus(stackDir, plan))));
  return { dir: stackDir, servers, users: stackUsers(stackDir) };
}

async function singleStatus(stackDir: string, plan: ServerPlan): Promise<ServerStatus> {
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
}

function locked<T>(dir: string, log: Log, task: () => Promise<T>): Promise<T> {
  const onWait = (holder: number) => log(`waiting for process ${holder}, which is starting or stopping these servers`);
  return withLock(dir, "stack", { deadlineMs: LOCK_DEADLINE_MS, onWait }, task);
}
