/** What the IM benchmarks need of a benchmark's context. */
export interface ImBenchContext {
  servers: { env: Record<string, string> };
  closing: { add(close: () => Promise<unknown>): void };
  /** Leaves out what takes minutes. */
  quick: boolean;
  progress(line: string): void;
}
