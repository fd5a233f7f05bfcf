import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../config/root.ts";
import { startDeadlineMs } from "../support/nodes.ts";
import type { ProcessEnv } from "../support/servers.ts";
import type { ImBenchContext } from "./context.ts";

type Surroundings = Pick<ImBenchContext, "servers" | "closing">;

interface ScriptOptions {
  args?: readonly string[];
  /** By default the benchmark's own, with the administrators' logins. */
  env?: ProcessEnv;
  /** The file for its CPU profile, written when it ends. */
  profile?: string | undefined;
}

const profileDeadlineMs = 20_000;

/**
 * Kills a process and resolves once it is gone; it may have ended by itself. The IM processes of a benchmark hold nothing
 * that must be kept, so they are not drained.
 */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** A process writes its profile only where it ends by itself. */
async function endGently(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit", { signal: AbortSignal.timeout(profileDeadlineMs) });
  child.kill("SIGTERM");
  await exit.catch(() => end(child));
}

/** Starts a script of the project with an IPC channel. It ends with the benchmark. */
export function startScript(
  { servers, closing }: Surroundings,
  label: string,
  script: string,
  { args = [], env = servers.env, profile }: ScriptOptions = {},
): ChildProcess {
  const profiling = profile
    ? ["--cpu-prof", `--cpu-prof-dir=${dirname(resolve(profile))}`, `--cpu-prof-name=${basename(profile)}`]
    : [];
  const child = fork(join(projectRoot(), script), args, {
    env: { ...process.env, ...env, NODE_LABEL: label },
    execArgv: [...process.execArgv, ...profiling],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  closing.add(() => (profile ? endGently(child) : end(child)));
  return child;
}

/** Starts a script that prints a line `ready {json}`; resolves to that JSON. */
export async function startReady(
  surroundings: Surroundings,
  label: string,
  script: string,
  options?: ScriptOptions,
): Promise<{ child: ChildProcess; about: { port?: number; ports?: Record<string, number> } }> {
  const child = startScript(surroundings, label, script, options);
  const deadlineMs = startDeadlineMs();
  const tooLate = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (!line.startsWith("ready ")) continue;
    clearTimeout(tooLate);
    child.stdout?.resume();
    return { child, about: JSON.parse(line.slice("ready ".length)) };
  }
  clearTimeout(tooLate);
  throw new Error(`${label} ended before it was ready, or was not ready within ${deadlineMs / 1_000} s`);
}

/** Starts a Moleculer node with the named services in a separate process; resolves to its process id once it is ready. */
export async function startServices(
  surroundings: Surroundings,
  label: string,
  services: string[],
  profile?: string,
): Promise<number> {
  const env = await surroundings.servers.envOf(services);
  const { child } = await startReady(surroundings, label, "scripts/node.ts", { args: services, env, profile });
  return child.pid as number;
}
