import { basename, dirname, join, resolve } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { startChild } from "../../scripts/children.ts";
import type { BenchContext } from "./context.ts";

const stopDeadlineMs = 20_000;

export interface BenchProcess {
  label: string;
  pid: number;
  /** What it said of itself when it was ready. */
  about: { ports?: Record<string, number>; port?: number };
  /** Ends it; also done at the end of the benchmark. */
  stop(): Promise<void>;
}

interface ProcessOptions {
  /** What people call it; the name of its log. */
  label: string;
  /** Relative to the project. It writes a line `ready {json}`. */
  script: string;
  args?: readonly string[];
  /** Where its CPU profile goes when it ends. */
  profile?: string | undefined;
}

/** Starts a process of the benchmark's system without waiting for it; `started` resolves once it is ready. */
export function spawnProcess(
  { servers, closing }: Pick<BenchContext, "servers" | "closing">,
  { label, script, args = [], profile }: ProcessOptions,
): { pid: number | undefined; started: Promise<BenchProcess> } {
  const profiling = profile
    ? ["--cpu-prof", `--cpu-prof-dir=${dirname(resolve(profile))}`, `--cpu-prof-name=${basename(profile)}`]
    : [];
  const child = startChild({
    name: label,
    command: process.execPath,
    // What the benchmark was started with (package.json) goes for its processes too.
    args: [...process.execArgv, ...profiling, join(projectRoot(), script), ...args],
    cwd: projectRoot(),
    env: { ...servers.env, NODE_LABEL: label, LOG_FILE: undefined },
    output: { file: join(servers.logs, `${label}.log`) },
    ready: /^ready (\{.*\})$/,
  });
  const stop = async () => void (await child.stop(stopDeadlineMs));
  closing.add(stop);
  const started = child.ready.then((match) => {
    return { label, pid: child.pid as number, about: JSON.parse(match?.[1] ?? "{}"), stop };
  });
  started.catch(() => undefined);
  return { pid: child.pid, started };
}

/** A Moleculer node with the named services, as `npm run node` starts it. Resolves once it is ready. */
export function startServices(
  context: Pick<BenchContext, "servers" | "closing">,
  label: string,
  services: readonly string[],
  profile?: string,
): Promise<BenchProcess> {
  return spawnProcess(context, { label, script: "scripts/node.ts", args: services, profile }).started;
}
