import type { Closing } from "./closing.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchServers } from "./servers.ts";

/** The parameters of every benchmark. */
export interface BenchContext extends BenchOptions {
  servers: BenchServers;
  /** Resources that are closed at the end. */
  closing: Closing;
  /** Reports the progress. */
  progress(line: string): void;
}

/** The fields of the benchmark's JSON. The run fails where `conserved` is false. */
export interface BenchResult extends Record<string, unknown> {
  conserved: boolean;
}
