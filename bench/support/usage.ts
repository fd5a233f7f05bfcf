import { countCpu } from "./cpu.ts";
import { watchMemory } from "./memory.ts";

/** What services and servers have used since a moment, by process. */
export interface Usage {
  /** CPU time, µs. */
  cpuSince(): Record<string, number>;
  /** The most resident memory, MB; to be asked once. */
  memorySince(): Record<string, number>;
}

export function usageOf(pids: Record<string, number | undefined>): Usage {
  return { cpuSince: countCpu(pids), memorySince: watchMemory(pids) };
}
