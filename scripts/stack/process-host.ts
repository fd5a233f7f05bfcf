import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";
import { type Found, type Host, readRecord } from "./host.ts";
import { commandLine, endProcess, killProcess, signal } from "./processes.ts";
import { withServerPath } from "./run.ts";
import type { ProcessPlan, Site } from "./server.ts";
import { messageOf, probeUntilReady } from "./wait.ts";

const LOG_LINES_IN_ERRORS = 15;

export interface ProcessHost extends Host {
  /** Sends it a signal; nothing where it does not run. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Ends it without a warning, as a crash does; resolves when it has ended. */
  kill(): Promise<void>;
}

/** Runs the server as a detached process, which outlives this one. `program` is needed only to launch. */
export function processHost(plan: ProcessPlan, site: Site, program?: string): ProcessHost {
  const find = async (): Promise<Found | undefined> => {
    const pid = recordedPid(site);
    if (pid === undefined) return undefined;
    if (isOurs(site, pid)) return { pid, port: readRecord(site)?.port };
    // Left by a server that was killed, or by a reboot.
    rmSync(pidFile(site), { force: true });
    return undefined;
  };

  const end = async (): Promise<void> => {
    const found = await find();
    if (found?.pid !== undefined) {
      const { pid } = found;
      await endProcess(pid, () => isOurs(site, pid), plan.stopDeadlineMs);
    }
    rmSync(pidFile(site), { force: true });
  };

  const launch = async (port: number): Promise<Found> => {
    if (program === undefined) throw new Error(`${plan.title}: none of ${plan.programs.join(", ")} is installed`);
    const child = await spawnServer(plan, site, program, port);
    try {
      const { pid } = child;
      if (pid !== undefined) replaceFile(pidFile(site), `${pid}\n`);
      await probeUntilReady(() => plan.probe(site, port, pid), deathOf(child), plan.readyDeadlineMs);
      return { port, pid };
    } catch (error) {
      await end();
      throw new Error(`${plan.title} on port ${port}: ${messageOf(error)}\n${logTail(site)}`);
    } finally {
      child.unref();
    }
  };

  const send = async (name: NodeJS.Signals): Promise<void> => {
    const found = await find();
    if (found?.pid !== undefined) signal(found.pid, name, () => isOurs(site, found.pid as number));
  };

  const kill = async (): Promise<void> => {
    const found = await find();
    if (found?.pid !== undefined) await killProcess(found.pid, () => isOurs(site, found.pid as number));
    rmSync(pidFile(site), { force: true });
  };

  return { kind: "process", find, launch, reload: () => send("SIGHUP"), end, signal: send, kill };
}

/** A pid proves nothing, since another process may have it by now: the command line must contain the stack. */
function isOurs(site: Site, pid: number): boolean {
  const line = commandLine(pid);
  return line !== undefined && (line.includes(`${site.stackDir}/`) || line.includes(site.mark));
}

async function spawnServer(plan: ProcessPlan, site: Site, program: string, port: number): Promise<ChildProcess> {
  const launch = await plan.prepareProcess(site, program, port);
  const file = logFile(site);
  if (existsSync(file)) renameSync(file, `${file}.1`);
  const output = openSync(file, "a", 0o600);
  try {
    return spawn(program, launch.args, {
      argv0: launch.argv0,
      cwd: site.dir,
      env: withServerPath(launch.env ?? site.env),
      detached: true,
      stdio: ["ignore", output, output],
    });
  } finally {
    closeSync(output);
  }
}

function deathOf(child: ChildProcess): () => Promise<string | undefined> {
  let death: string | undefined;
  child.once("error", (error) => {
    death = `could not be started: ${error.message}`;
  });
  child.once("exit", (code, signal) => {
    death = `ended before it was ready, with ${signal ?? `exit code ${code}`}`;
  });
  return async () => death;
}

function recordedPid(site: Site): number | undefined {
  const pid = Number(readIfThere(pidFile(site))?.trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

function pidFile(site: Site): string {
  return join(site.dir, "pid");
}

function logFile(site: Site): string {
  return join(site.dir, "server.log");
}

/** The last lines of the server's log and its path, for errors. Never throws. */
export function logTail(site: Site): string {
  const file = logFile(site);
  if (!existsSync(file)) return "It wrote no log.";
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES_IN_ERRORS);
  } catch (error) {
    return `Its log cannot be read: ${messageOf(error)}`;
  }
  const confined = lines.some((line) => /errno: ?13|permission denied/i.test(line)) && existsSync("/etc/apparmor.d");
  const hint = confined
    ? "\nThe system may confine this program to its standard folders (AppArmor): install MariaDB, or set the URL of a running server."
    : "";
  return `The end of ${file}:\n${lines.join("\n")}${hint}`;
}
