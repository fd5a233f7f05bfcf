import type { LoadOptions } from "../support/options.ts";

/** What the IM benchmarks need of a benchmark's context. */
export interface ImBenchContext extends LoadOptions {
  servers: { env: Record<string, string> };
  closing: { add(close: () => Promise<unknown>): void };
  /** Leaves out what takes minutes. */
  quick: boolean;
  /** Where a CPU profile of the im-server that is measured goes. */
  profile?: string | undefined;
  progress(line: string): void;
}
