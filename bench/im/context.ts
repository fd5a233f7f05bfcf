import type { LoadOptions } from "../support/options.ts";

/** The part of a benchmark's context that the IM benchmarks use. */
export interface ImBenchContext extends LoadOptions {
  servers: { env: Record<string, string> };
  closing: { add(close: () => Promise<unknown>): void };
  /** Skips the parts that take minutes. */
  quick: boolean;
  /** The file for a CPU profile of the measured im-server. */
  profile?: string | undefined;
  progress(line: string): void;
}
