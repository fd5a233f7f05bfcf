import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { requireNode } from "../scripts/node-version.ts";
import { messageOf } from "../scripts/stack/wait.ts";
import type { BenchContext } from "./support/context.ts";

const USAGE = `Benchmarks, on private servers of their own (.stack/bench), with the conservation check over all rows at the end.

  npm run bench -- NAME [--json] [--topology single|cluster] [options of the benchmark]

NAME: settle, accept, latency, scale
--json          the last line of the output is one JSON object
--gifts N       another number of gifts
--profile FILE  a CPU profile of the measured part`;

const benches: Record<string, () => Promise<{ run(context: BenchContext): Promise<Record<string, unknown>> }>> = {
  settle: () => import("./settle/settle.ts"),
};

async function main(): Promise<void> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      topology: { type: "string", default: "single" },
      gifts: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const [name = ""] = positionals;
  const load = benches[name];
  if (!load || values.help || !["single", "cluster"].includes(values.topology)) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const startedAt = Date.now();
  const progress = (line: string) => {
    // With --json only the result may stand in the last line, so progress goes beside it.
    process.stderr.write(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
  };
  const { run } = await load();
  const result = await run({
    topology: values.topology as "single" | "cluster",
    gifts: Number(values.gifts ?? 0),
    profile: values.profile,
    progress,
  });
  const about = { bench: name, node: process.version, cores: cpus().length, when: new Date(startedAt).toISOString() };
  const report = { ...about, ...result };
  console.log(values.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  },
);
