import { readFileSync } from "node:fs";

/** Ticks a second of the kernel's accounting: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The CPU time of a process, user and system together, in microseconds; `undefined` where it is gone. */
export function cpuMicros(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may contain spaces.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000_000;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Starts counting for named processes; returns a function that returns the CPU time of each since then, microseconds. */
export function countCpu(pids: Record<string, number | undefined>): () => Record<string, number> {
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, pid ? cpuMicros(pid) : undefined] as const);
  return () =>
    Object.fromEntries(
      before.map(([name, pid, then]) => [name, Math.round(((pid && cpuMicros(pid)) || 0) - (then ?? 0))]),
    );
}
