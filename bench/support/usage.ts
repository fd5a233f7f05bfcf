import { countCpu } from "./cpu.ts";
import { watchMemory } from "./memory.ts";

/** The CPU and memory that services and servers have used since a start, by process. */
export interface Usage {
  /** CPU time, µs. */
  cpuSince(): Record<string, number>;
  /** The most resident memory, MB. Call it once: it stops the sampling. */
  memorySince(): Record<string, number>;
}

export function usageOf(pids: Record<string, number | undefined>): Usage {
  return { cpuSince: countCpu(pids), memorySince: watchMemory(pids) };
}
