import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type ProcessHost, processHost } from "../process-host.ts";
import { findProgram, withServerPath } from "../run.ts";
import { markOf, type ProcessPlan, type Site } from "../server.ts";

export type HaKind = "nats" | "mysql" | "proxy" | "redis" | "sentinel";

/** How a server runs that is one of several. */
export interface HaPlan extends ProcessPlan {
  /** Its part among the others, in words for people. Rejects where it does not answer. */
  part(): Promise<string>;
  /** Resolves where it does its part in full: it has what the others have. Rejects with the reason otherwise. */
  requireJoined(): Promise<void>;
}

/** One server of the HA stack. */
export interface HaServer {
  /** E.g. `mysql-2`. */
  readonly name: string;
  readonly kind: HaKind;
  /** Where its clients log in. */
  readonly port: number;
  readonly plan: HaPlan;
  readonly site: Site;
}

/** What all servers of one HA stack share. */
export interface HaPlace {
  readonly stackDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** The place of a server: a folder of its own, which is its disk. */
export function haSite({ stackDir, env, log }: HaPlace, name: string): Site {
  const dir = join(stackDir, "ha", name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return { dir, stackDir, mark: `${markOf(stackDir)}-${name}`, env: withServerPath(env), log };
}

export function haHost({ plan, site }: Pick<HaServer, "plan" | "site">): ProcessHost {
  return processHost(plan, site, findProgram(plan.programs, site.env));
}
