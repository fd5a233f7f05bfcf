import { cpus, loadavg } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { EndedBeforeReady, startChild } from "../../scripts/children.ts";
import type { BenchContext } from "./context.ts";
import type { ProcessEnv } from "./servers.ts";

const stopDeadlineMs = 20_000;
const usualStartMs = 45_000;
const startTries = 3;

/**
 * A process that is not ready by then does not start: its last lines are in the error. Where more than the cores can do
 * is under way it may take as many times as long, at most four.
 */
export function startDeadlineMs(): number {
  return Math.round(usualStartMs * Math.min(4, Math.max(1, (loadavg()[0] as number) / cpus().length)));
}

export interface BenchProcess {
  label: string;
  pid: number;
  /** The JSON of its ready line. */
  about: { ports?: Record<string, number>; port?: number };
  /** Ends it; the end of the benchmark does so too. */
  stop(): Promise<void>;
}

interface ProcessOptions {
  /** Its name, also of its log. */
  label: string;
  /** The script, relative to the project. It prints a line `ready {json}`. */
  script: string;
  args?: readonly string[];
  /** By default the benchmark's own, with the administrators' logins. */
  env?: ProcessEnv;
  /** The file for its CPU profile, written when it ends. */
  profile?: string | undefined;
}

/** Starts a process of the benchmark's system without waiting for it; `started` resolves once it is ready. */
export function spawnProcess(
  { servers, closing }: Pick<BenchContext, "servers" | "closing">,
  { label, script, args = [], env = servers.env, profile }: ProcessOptions,
): { pid: number | undefined; started: Promise<BenchProcess> } {
  const profiling = profile
    ? ["--cpu-prof", `--cpu-prof-dir=${dirname(resolve(profile))}`, `--cpu-prof-name=${basename(profile)}`]
    : [];
  const child = startChild({
    name: label,
    command: process.execPath,
    // Its processes get the Node options of the benchmark (package.json).
    args: [...process.execArgv, ...profiling, join(projectRoot(), script), ...args],
    cwd: projectRoot(),
    env: { ...env, NODE_LABEL: label, LOG_FILE: undefined },
    output: { file: join(servers.logs, `${label}.log`) },
    ready: /^ready (\{.*\})$/,
    readyDeadlineMs: startDeadlineMs(),
  });
  const stop = async () => void (await child.stop(stopDeadlineMs));
  closing.add(stop);
  // A benchmark that fails does not wait for everything to close: its processes must not outlive it.
  const stopWithIt = () => void stop();
  process.once("exit", stopWithIt);
  void child.exited.then(() => process.off("exit", stopWithIt));
  const started = child.ready.then((match) => {
    return { label, pid: child.pid as number, about: JSON.parse(match?.[1] ?? "{}"), stop };
  });
  started.catch(() => undefined);
  return { pid: child.pid, started };
}

/**
 * A Moleculer node with the named services, as `npm run node` starts it, with further settings. Resolves once it is ready.
 * One that gives up its start, since a server did not answer in time, is started again where the machine has more to do
 * than cores, as a supervisor does.
 */
export async function startServices(
  context: Pick<BenchContext, "servers" | "closing">,
  label: string,
  services: readonly string[],
  profile?: string,
  settings: ProcessEnv = {},
): Promise<BenchProcess> {
  const env = { ...(await context.servers.envOf(services)), ...settings };
  for (let tries = 1; ; tries++)
    try {
      return await spawnProcess(context, { label, script: "scripts/node.ts", args: services, env, profile }).started;
    } catch (error) {
      const isBusy = (loadavg()[0] as number) > cpus().length;
      if (!(error instanceof EndedBeforeReady) || !isBusy || tries === startTries) throw error;
    }
}
