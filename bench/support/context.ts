/** What every benchmark is given. */
export interface BenchContext {
  /** single: everything in this one process. cluster: services in processes of their own. */
  topology: "single" | "cluster";
  /** How many gifts; 0 means the benchmark's own default. */
  gifts: number;
  /** Where a CPU profile of the measured part goes. */
  profile: string | undefined;
  /** Says what is being done and how far it is. */
  progress(line: string): void;
}
