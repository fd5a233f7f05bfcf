import { mkdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { containerHost } from "./container-host.ts";
import { type Host, readRecord } from "./host.ts";
import { mysql } from "./mysql.ts";
import { nats } from "./nats.ts";
import { processHost } from "./process-host.ts";
import { redis } from "./redis.ts";
import { withServerPath } from "./run.ts";
import { markOf, type ServerPlan, type Site } from "./server.ts";

export const PLANS: readonly ServerPlan[] = [nats, redis, mysql];

/** The folder of the stack: STACK_DIR of the environment, else `.stack` in the project. */
export function defaultStackDir(): string {
  return process.env.STACK_DIR || join(projectRoot(), ".stack");
}

/** Creates the folder where it is missing and returns its real path, by which servers are recognized. */
export function openStackDir(dir: string): string {
  const absolute = resolve(dir);
  mkdirSync(absolute, { recursive: true, mode: 0o700 });
  return realpathSync(absolute);
}

export function siteOf(stackDir: string, plan: ServerPlan, env: NodeJS.ProcessEnv, log: (line: string) => void): Site {
  const dir = join(stackDir, plan.name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return { dir, stackDir, mark: markOf(stackDir), env: withServerPath(env), log };
}

/** The host with which the site's server was last started. */
export function recordedHost(plan: ServerPlan, site: Site): Host {
  return readRecord(site)?.kind === "container" ? containerHost(plan, site) : processHost(plan, site);
}
