import { readFileSync } from "node:fs";

function statusKb(pid: number, field: string): number {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(found?.[1] ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

/** Resident memory of a process in MB, 0 where it is gone. */
export function residentMb(pid: number): number {
  return Math.round(statusKb(pid, "VmRSS") / 1_024);
}

/**
 * Samples the resident memory of named processes ten times a second. Returns a function that stops it and returns the
 * largest sample of each, in MB.
 */
export function watchMemory(pids: Record<string, number | undefined>): () => Record<string, number> {
  const most: Record<string, number> = {};
  const look = () => {
    for (const [name, pid] of Object.entries(pids)) if (pid) most[name] = Math.max(most[name] ?? 0, residentMb(pid));
  };
  look();
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}
