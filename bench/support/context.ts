import type { Closing } from "./closing.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchServers } from "./servers.ts";

/** What every benchmark is given. */
export interface BenchContext extends BenchOptions {
  servers: BenchServers;
  /** Closed at the end, whatever it is. */
  closing: Closing;
  /** Says what is being done and how far it is. */
  progress(line: string): void;
}

/** The fields of the benchmark's JSON. `conserved` false makes the run fail. */
export interface BenchResult extends Record<string, unknown> {
  conserved: boolean;
}
