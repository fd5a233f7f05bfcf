import { printLine } from "../../broker/outputs.ts";
import { adopt, launchAll, type Member, type Up } from "./bring-up.ts";
import { bringUpHa, haRuns } from "./ha/bring-up.ts";
import { HaStack } from "./ha/ha-stack.ts";
import type { ServerName, ServerPlan } from "./server.ts";
import { PLANS, recordedHost, siteOf } from "./sites.ts";

const PREFERRED_PORTS: Record<ServerName | "ha", number> = { nats: 14222, redis: 16379, mysql: 13306, ha: 17100 };
const URL_VARIABLES = Object.fromEntries(PLANS.map(({ name, variable }) => [name, variable])) as Record<
  ServerName,
  ServerPlan["variable"]
>;

export interface StackOptions {
  /** Folder of the servers' data, logs and records; `.stack` in the project by default. One folder, one stack. */
  dir?: string;
  /** The first port to try for each server; the next free one is used where it is taken. `ha`: for all of several. */
  preferredPorts?: Partial<Record<ServerName | "ha", number>>;
  /** Three servers of each kind, where the folder's single servers do not run. Those that run are adopted without it. */
  ha?: boolean;
  /** Called with a line for each step. */
  log?: (line: string) => void;
  /**
   * The environment from which NATS_URL, REDIS_URL and MYSQL_URL are read; a server that is set there is neither
   * started nor changed.
   */
  env?: NodeJS.ProcessEnv;
  /** The servers stay up after this process, until stopStack. */
  permanent?: boolean;
}

/** The origin of a server. */
export type Source = "started" | "adopted" | "environment";

/** What a start found and started. */
export interface Started {
  urls: Record<ServerName, string>;
  servers: Record<ServerName, Source>;
  /** What the env file says from now on. */
  kept: Record<string, string | undefined>;
  /** Those that may be supervised. */
  up: Up[];
}

/** Finds the servers of the folder, single ones or several of each kind, and starts those that are missing. */
export async function bringUpAll(options: StackOptions, dir: string): Promise<Started> {
  return (await isHa(options, dir)) ? haServers(options, dir) : singleServers(options, dir);
}

async function isHa(options: StackOptions, dir: string): Promise<boolean> {
  if (await haRuns(dir)) return true;
  if (options.ha !== true) return false;
  const { env = process.env, log = printLine } = options;
  const given = Object.values(URL_VARIABLES).filter((variable) => env[variable]);
  if (given.length > 0) throw new Error(`several servers are started of every kind alone: unset ${given.join(", ")}`);
  const singles = PLANS.map((plan) => recordedHost(plan, siteOf(dir, plan, env, log)).find());
  if ((await Promise.all(singles)).some((server) => server !== undefined))
    throw new Error(`single servers run in ${dir}: npm run stack -- stop, or choose another folder (--dir)`);
  return true;
}

/** Brings up the servers of several; those that the environment names others for are started, and not used. */
async function haServers(options: StackOptions, dir: string): Promise<Started> {
  const { env = process.env, log = printLine } = options;
  const port = options.preferredPorts?.ha ?? PREFERRED_PORTS.ha;
  // Without `ha` the servers that were killed stay away: whoever killed them sees to it.
  const running = options.ha ? undefined : HaStack.of(dir, log);
  const { stack, started } = running
    ? { stack: running, started: false }
    : await bringUpHa({ stackDir: dir, env, log }, port);
  const own = stack.urls();
  const names = Object.keys(URL_VARIABLES) as ServerName[];
  const of = <T>(pick: (name: ServerName) => T) =>
    Object.fromEntries(names.map((name) => [name, pick(name)])) as Record<ServerName, T>;
  return {
    urls: of((name) => env[URL_VARIABLES[name]] || own[name]),
    servers: of((name) => (env[URL_VARIABLES[name]] ? "environment" : started ? "started" : "adopted")),
    kept: stack.env(),
    up: [],
  };
}

async function singleServers(options: StackOptions, dir: string): Promise<Started> {
  const { env = process.env, log = printLine } = options;
  const own = PLANS.filter((plan) => !env[plan.variable]);
  const members = own.map((plan) => ({
    plan,
    site: siteOf(dir, plan, env, log),
    preferredPort: options.preferredPorts?.[plan.name] ?? PREFERRED_PORTS[plan.name],
  }));
  const up = await bringUp(members);
  const kept = up.map(({ plan, site, port }) => plan.env?.(site, port) ?? { [plan.variable]: plan.url(site, port) });
  const admin = up.flatMap(({ plan, site, port }) =>
    plan.name === "mysql" ? [{ MYSQL_ADMIN_URL: plan.url(site, port) }] : [],
  );
  const urlOf = (plan: ServerPlan) => {
    const server = up.find((candidate) => candidate.plan === plan);
    return server === undefined ? env[plan.variable]! : plan.url(server.site, server.port);
  };
  return {
    urls: Object.fromEntries(PLANS.map((plan) => [plan.name, urlOf(plan)])) as Record<ServerName, string>,
    servers: sourcesOf(up),
    kept: Object.assign({ JETSTREAM_REPLICAS: undefined }, ...kept, ...admin),
    up,
  };
}

async function bringUp(members: Member[]): Promise<Up[]> {
  const adopted = (await Promise.all(members.map(adopt))).filter((server) => server !== undefined);
  const isUp = (member: Member) => adopted.some((server) => server.plan === member.plan);
  const absent = members.filter((member) => !isUp(member));
  if (absent.length === 0) return adopted;
  const inUse = adopted.map((server) => server.port);
  return [...adopted, ...(await launchAll(absent, inUse))];
}

function sourcesOf(up: Up[]): Record<ServerName, Source> {
  const sources: Record<ServerName, Source> = { nats: "environment", redis: "environment", mysql: "environment" };
  for (const server of up) sources[server.plan.name] = server.started ? "started" : "adopted";
  return sources;
}
