import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../config/root.ts";
import type { ImBenchContext } from "./context.ts";

/**
 * Kills a process and resolves once it is gone; it may have ended by itself. Nothing that the IM processes of a benchmark
 * hold outlives it, so none of them is waited for while it drains.
 */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** Starts a script of the project with a channel for messages. It is ended with the benchmark. */
export function startScript(
  { servers, closing }: Pick<ImBenchContext, "servers" | "closing">,
  label: string,
  script: string,
  args: string[] = [],
): ChildProcess {
  const child = fork(join(projectRoot(), script), args, {
    env: { ...process.env, ...servers.env, NODE_LABEL: label },
    serialization: "advanced",
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  closing.add(() => end(child));
  return child;
}

/** A script that says `ready {json}` on its standard output; resolves to what it said of itself once it did. */
export async function startReady(
  context: Pick<ImBenchContext, "servers" | "closing">,
  label: string,
  script: string,
  args: string[] = [],
): Promise<{ child: ChildProcess; about: { port?: number; ports?: Record<string, number> } }> {
  const child = startScript(context, label, script, args);
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (!line.startsWith("ready ")) continue;
    child.stdout?.resume();
    return { child, about: JSON.parse(line.slice("ready ".length)) };
  }
  throw new Error(`${label} ended before it was ready`);
}

/** A Moleculer node with the named services in a process of its own; resolves to its process id once it is ready. */
export async function startServices(context: ImBenchContext, label: string, services: string[]): Promise<number> {
  const { child } = await startReady(context, label, "scripts/node.ts", services);
  return child.pid as number;
}
