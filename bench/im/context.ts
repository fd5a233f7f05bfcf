import type { LoadOptions } from "../support/options.ts";
import type { BenchServers } from "../support/servers.ts";

/** The part of a benchmark's context that the IM benchmarks use. */
export interface ImBenchContext extends LoadOptions {
  servers: Pick<BenchServers, "env" | "envOf">;
  closing: { add(close: () => Promise<unknown>): void };
  /** Skips the parts that take minutes. */
  quick: boolean;
  /** The file for a CPU profile of the measured im-server. */
  profile?: string | undefined;
  progress(line: string): void;
}
