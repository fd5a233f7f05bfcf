import { parseArgs } from "node:util";

export const benchNames = ["settle", "accept", "latency", "scale", "fanout", "idle", "storm"] as const;
export type BenchName = (typeof benchNames)[number];
export type Topology = "single" | "cluster";

export interface BenchOptions {
  /** `undefined` where none, or one that does not exist, was named. */
  name: BenchName | undefined;
  help: boolean;
  json: boolean;
  /** single: gift and wallet in this one process. cluster: each in processes of its own. */
  topology: Topology;
  /** How many gifts; 0 means the benchmark's own default. */
  gifts: number;
  /** Leaves out what takes minutes. */
  quick: boolean;
  /** Where a CPU profile of the measured services goes. */
  profile: string | undefined;
}

/** @throws Error that says which option is not understood. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      topology: { type: "string", default: "single" },
      gifts: { type: "string", default: "0" },
      quick: { type: "boolean", default: false },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { topology, gifts, ...rest } = values;
  if (topology !== "single" && topology !== "cluster") throw new Error(`--topology is single or cluster: ${topology}`);
  if (!/^\d{1,8}$/.test(gifts)) throw new Error(`--gifts is a number of at most 8 digits: ${gifts}`);
  if (positionals.length > 1) throw new Error(`one benchmark at a time: ${positionals.join(" ")}`);
  const name = benchNames.find((known) => known === positionals[0]);
  return { ...rest, profile: values.profile, name, topology, gifts: Number(gifts) };
}
