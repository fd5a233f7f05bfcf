import { containerHost, engineAnswers } from "./container-host.ts";
import { type Found, type Host, readRecord, writeRecord } from "./host.ts";
import { installAdvice, installPrograms } from "./install.ts";
import { claimFreePort, isPortFree } from "./ports.ts";
import { processHost } from "./process-host.ts";
import { findProgram } from "./run.ts";
import type { ServerPlan, Site } from "./server.ts";
import { recordedHost } from "./sites.ts";
import { becomesTrue, messageOf, probeUntilReady } from "./wait.ts";

/** How long a running server may take to answer before it counts as hung; it may be recovering its data. */
const ADOPTION_DEADLINE_MS = 30_000;
const SLOW_ANSWER_MS = 1000;
const PORT_ATTEMPTS = 5;
const PORT_RELEASE_MS = 2000;
const PORT_TAKEN = /address already in use|port is already allocated/i;

/** One server of the stack that is being started. */
export interface Member {
  plan: ServerPlan;
  site: Site;
  preferredPort: number;
}

export interface Up {
  plan: ServerPlan;
  site: Site;
  host: Host;
  port: number;
  pid: number | undefined;
  /** False where a running one was adopted. */
  started: boolean;
}

/**
 * The member's running server, if one answers. A server of this stack that does not answer is ended, so that it can be
 * started again.
 */
export async function adopt({ plan, site }: Member): Promise<Up | undefined> {
  const host = recordedHost(plan, site);
  const found = await host.find();
  if (found === undefined) return undefined;
  const { port, pid } = found;
  if (port !== undefined) {
    const slow = setTimeout(() => site.log(`${plan.title}: waiting for the running server to answer`), SLOW_ANSWER_MS);
    try {
      await probeUntilReady(() => plan.probe(site, port, pid), deathOf(host), ADOPTION_DEADLINE_MS);
      return { plan, site, host, port, pid, started: false };
    } catch (error) {
      site.log(`${plan.title}: the running server does not answer (${messageOf(error)}); starting it anew`);
    } finally {
      clearTimeout(slow);
    }
  }
  await host.end();
  return undefined;
}

function deathOf(host: Host): () => Promise<string | undefined> {
  return async () => ((await host.find()) === undefined ? "it ended" : undefined);
}

/**
 * Starts the members together and resolves when each answers. If one cannot be started, the others are ended, and the
 * error names each that failed.
 */
export async function launchAll(members: Member[], portsInUse: Iterable<number>): Promise<Up[]> {
  const hosts = await chooseHosts(members);
  const taken = new Set(portsInUse);
  const known = await Promise.all(members.map(({ site }) => formerPort(site)));
  const ports: number[] = [];
  for (const [i, { preferredPort }] of members.entries()) {
    ports.push(await claimFreePort(known[i] ?? preferredPort, taken));
  }
  const outcomes = await Promise.allSettled(members.map((member, i) => launch(member, hosts[i]!, ports[i]!, taken)));
  const up = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [messageOf(outcome.reason)] : []));
  if (failures.length === 0) return up;
  await Promise.all(up.map(({ host }) => host.end()));
  throw new Error(`the local servers could not be started.\n${failures.join("\n")}`);
}

/** Clients of a server that died connect to its former port, so that port is tried before the preferred one. */
async function formerPort(site: Site): Promise<number | undefined> {
  const port = readRecord(site)?.port;
  if (port === undefined) return undefined;
  // A server that has just been killed keeps its port for a short time.
  return (await becomesTrue(() => isPortFree(port), PORT_RELEASE_MS)) ? port : undefined;
}

async function launch(member: Member, host: Host, firstPort: number, taken: Set<number>): Promise<Up> {
  const { plan, site } = member;
  let port = firstPort;
  for (let attempt = 1; ; attempt += 1) {
    site.log(`${plan.title}: starting on port ${port}${host.kind === "container" ? " in a container" : ""}`);
    writeRecord(site, { port, kind: host.kind });
    const began = performance.now();
    try {
      const found: Found = await host.launch(port);
      site.log(`${plan.title}: ready on port ${port} after ${((performance.now() - began) / 1000).toFixed(1)} s`);
      return { plan, site, host, port, pid: found.pid, started: true };
    } catch (error) {
      // Another program may have taken the port since the check, perhaps only for its own check.
      const lostPort = PORT_TAKEN.test(messageOf(error)) || !(await isPortFree(port));
      if (attempt === PORT_ATTEMPTS || !lostPort) throw error;
      site.log(`${plan.title}: port ${port} was taken meanwhile`);
      port = await claimFreePort(port + 1, taken);
    }
  }
}

/** Chooses a process where the program is installed or can be, otherwise a container where a Docker engine answers. */
async function chooseHosts(members: Member[]): Promise<Host[]> {
  await provide(members);
  return members.map(({ plan, site }) => {
    const program = findProgram(plan.programs, site.env);
    return program === undefined ? containerHost(plan, site) : processHost(plan, site, program);
  });
}

/** Makes sure that each member has a program or an engine that runs it. */
async function provide(members: Member[]): Promise<void> {
  const missing = () => members.filter(({ plan, site }) => findProgram(plan.programs, site.env) === undefined);
  const first = missing()[0];
  if (first === undefined) return;
  const { env, log } = first.site;
  let failure = "";
  try {
    await installPrograms(
      missing().map(({ plan }) => plan),
      env,
      log,
    );
    if (missing().length === 0) return;
  } catch (error) {
    failure = `Installing them failed: ${messageOf(error)}\n`;
    log("the servers could not be installed; looking for Docker");
  }
  if (await engineAnswers(env)) return;
  throw new Error(`${failure}${installAdvice(missing().map(({ plan }) => plan))}`);
}
