import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { run } from "./run.ts";
import { becomesTrue } from "./wait.ts";

/** The command line of a live process; `undefined` where there is none, or only a zombie. */
export function commandLine(pid: number): string | undefined {
  if (hasProc()) {
    const words = readProc(`/proc/${pid}/cmdline`);
    return words ? words.split("\0").join(" ").trim() : undefined;
  }
  return ps(pid, "command=");
}

/**
 * A text that distinguishes this process from a later one with the same pid. `undefined` where no such process lives.
 */
export function birthOf(pid: number): string | undefined {
  if (!hasProc()) return ps(pid, "lstart=");
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may contain spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === "Z" || state === "X" || startTicks === undefined) return undefined;
  const boot = readProc("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return `${boot}/${startTicks}`;
}

/** Identifies a process later: its pid, and its birth, which proves that it is the same process. */
export interface ProcessIdentity {
  pid: number;
  birth: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, birth: birthOf(process.pid) ?? "" };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return birthOf(identity.pid) === identity.birth;
}

/**
 * Ends one process: SIGTERM, and SIGKILL if it still runs after `deadlineMs`. `stillOurs` is called before each signal,
 * so that a pid that another process has meanwhile gets none. When it returns, the process has released its ports and
 * files. Throws where SIGKILL did not end it.
 */
export async function endProcess(pid: number, stillOurs: () => boolean, deadlineMs: number): Promise<void> {
  const gone = goneSince(pid, stillOurs);
  if (!signal(pid, "SIGTERM", stillOurs)) return;
  if (await becomesTrue(gone, deadlineMs)) return;
  await killUntil(gone, pid, stillOurs);
}

/** Ends one process by SIGKILL, as `endProcess` does. */
export async function killProcess(pid: number, stillOurs: () => boolean): Promise<void> {
  await killUntil(goneSince(pid, stillOurs), pid, stillOurs);
}

function goneSince(pid: number, stillOurs: () => boolean): () => boolean {
  const birth = birthOf(pid);
  return () => !stillOurs() && birthOf(pid) !== birth && !hasThreadsLeft(pid);
}

async function killUntil(gone: () => boolean, pid: number, stillOurs: () => boolean): Promise<void> {
  signal(pid, "SIGKILL", stillOurs);
  if (!(await becomesTrue(gone, 10_000))) {
    throw new Error(`process ${pid} still runs 10 s after SIGKILL; examine it with: ps -fp ${pid}`);
  }
}

/** Kills all processes whose command line contains the text, e.g. a folder; resolves when they have ended. */
export async function killAllNaming(text: string): Promise<void> {
  const names = (pid: number) => commandLine(pid)?.includes(text) ?? false;
  const all = run("ps", ["-eww", "-o", "pid="], { env: process.env });
  const pids = (await all).output.split("\n").map(Number);
  await Promise.all(pids.filter((pid) => pid > 0 && names(pid)).map((pid) => killProcess(pid, () => names(pid))));
}

/** Whether a process was stopped by SIGSTOP and not continued; false where this cannot be seen. */
export function isPaused(pid: number): boolean {
  const stat = hasProc() ? readProc(`/proc/${pid}/stat`) : undefined;
  return stat?.slice(stat.lastIndexOf(")") + 2).startsWith("T") ?? false;
}

/** A dead process whose last threads are still ending keeps its sockets and file locks until they have. */
function hasThreadsLeft(pid: number): boolean {
  const status = hasProc() ? readProc(`/proc/${pid}/status`) : undefined;
  return Number(/^Threads:\s*(\d+)$/m.exec(status ?? "")?.[1] ?? 0) > 1;
}

/** Sends a signal to a process that is certainly the one meant; `false` where it has ended. */
export function signal(pid: number, name: NodeJS.Signals, stillOurs: () => boolean): boolean {
  if (!stillOurs()) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    // It ended between the check and the signal.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function hasProc(): boolean {
  return existsSync("/proc/self/stat");
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

function ps(pid: number, column: string): string | undefined {
  const answer = spawnSync("ps", ["-ww", "-o", column, "-p", String(pid)], { encoding: "utf8" });
  if (answer.error) throw new Error(`cannot read the state of process ${pid}: ${answer.error.message}`);
  const text = answer.stdout.trim();
  return answer.status === 0 && text !== "" ? text : undefined;
}
