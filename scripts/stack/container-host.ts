import { type Found, type Host, readRecord } from "./host.ts";
import { LOOPBACK } from "./ports.ts";
import { findProgram, mustRun, run } from "./run.ts";
import type { ServerPlan, Site } from "./server.ts";
import { messageOf, probeUntilReady } from "./wait.ts";

/** The label of a container; its value is the folder of its stack. */
const LABEL = "ovation.stack";
const ENGINE_DEADLINE_MS = 10_000;

/** Whether a Docker engine answers. */
export async function engineAnswers(env: NodeJS.ProcessEnv): Promise<boolean> {
  const docker = findProgram(["docker"], env);
  if (docker === undefined) return false;
  return (await run(docker, ["info"], { env, timeoutMs: ENGINE_DEADLINE_MS })).code === 0;
}

/** Runs the server in a container. Its port is published on this machine only, and its data are in a volume. */
export function containerHost(plan: ServerPlan, site: Site): Host {
  const container = `${site.mark}-${plan.name}`;
  const docker = (...args: string[]) => mustRun("docker", args, { env: site.env });
  const ask = (...args: string[]) => mustRun("docker", args, { env: site.env, timeoutMs: ENGINE_DEADLINE_MS });

  /** The state as Docker names it, e.g. `running`; `undefined` where there is no such container of this stack. */
  const state = async (): Promise<string | undefined> => {
    if (findProgram(["docker"], site.env) === undefined) return undefined;
    const filters = ["--filter", `name=^/?${container}$`, "--filter", `label=${LABEL}=${site.stackDir}`];
    const output = await ask("ps", "--all", ...filters, "--format", "{{.State}}");
    return output.trim().split("\n")[0] || undefined;
  };

  const find = async (): Promise<Found | undefined> =>
    (await state()) === "running" ? { port: readRecord(site)?.port, pid: undefined } : undefined;

  const end = async (): Promise<void> => {
    const current = await state();
    if (current === undefined) return;
    if (current === "running") await docker("stop", "-t", String(plan.stopDeadlineMs / 1000), container);
    await docker("rm", "--force", container);
  };

  const deathOf = async (): Promise<string | undefined> => {
    const current = await state();
    return current === "running" ? undefined : `its container is ${current ?? "gone"}`;
  };

  const launch = async (port: number): Promise<Found> => {
    await end();
    const { image, options, args } = await plan.prepareContainer(site, port);
    const identity = ["--name", container, "--label", `${LABEL}=${site.stackDir}`];
    const published = ["--publish", `${LOOPBACK}:${port}:${plan.containerPort}`];
    try {
      if ((await run("docker", ["image", "inspect", image], { env: site.env })).code !== 0) {
        site.log(`${plan.title}: pulling the image ${image}`);
        await mustRun("docker", ["pull", image], { env: site.env, onLine: site.log });
      }
      await docker("run", "--detach", ...identity, ...published, ...options, image, ...args);
      await probeUntilReady(() => plan.probe(site, port, undefined), deathOf, plan.readyDeadlineMs);
      return { port, pid: undefined };
    } catch (error) {
      const { output } = await run("docker", ["logs", "--tail", "15", container], { env: site.env });
      await end();
      throw new Error(`${plan.title} in container ${container}: ${messageOf(error)}\n${output}`);
    }
  };

  const reload = async (): Promise<void> => {
    if ((await state()) === "running") await ask("kill", "--signal", "HUP", container);
  };

  return { kind: "container", find, launch, reload, end };
}
