import { incomesRollUp } from "../support/conservation.ts";
import type { BenchContext } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { JobProcess } from "../support/job-process.ts";
import { startServices } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import type { CollectorReport } from "./collector-process.ts";
import { type Duel, rateOf, type SystemRound, summaryOfSystem } from "./duel.ts";

const usualPairs = 5;

/**
 * Systems without and with traces, one after the other and in turns first, each with the same load. The traces are
 * taken at the usual share, and exported to a collector in a process of its own.
 */
export async function tracedPairs(context: BenchContext, duel: Duel, queue: DurableQueue) {
  const { closing, progress, quick } = context;
  const collector = JobProcess.start(closing, "bench/accept/collector-process.ts");
  const { url } = await collector.do<CollectorReport>({ kind: "listen" });
  const traces = { TRACES: "otlp", TRACES_URL: url };
  const rounds = { off: [] as SystemRound[], on: [] as SystemRound[] };
  const pairs = quick ? 1 : usualPairs;
  for (let n = 0; n < pairs; n++) {
    for (const kind of n % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const)) {
      const system = await startServices(context, "all", ["all"], undefined, kind === "on" ? traces : {});
      const settled = () => queue.untilEmpty(0, () => {});
      await duel.warmUp(system, settled);
      const round = await duel.round(system, settled);
      await incomesRollUp();
      await system.stop();
      rounds[kind].push(round);
      progress(`traces ${kind}: gift/send ${rateOf(round.accept)} a second`);
    }
  }
  const { spans } = await collector.do<CollectorReport>({ kind: "report" });
  if (spans === 0) throw new Error("no span reached the collector");
  const both = (of: (round: SystemRound) => number) =>
    rounds.on.map((round, n) => rounded(of(round) / of(rounds.off[n] as SystemRound), 3));
  const rates = both(({ accept }) => rateOf(accept));
  const cpu = both(({ accept, cpu }) => (cpu.services as number) / accept.accepted);
  return {
    ...{ pairs, spans },
    ...{ ratio: median(rates), ratios: rates, servicesCpuRatio: median(cpu), servicesCpuRatios: cpu },
    ...{ off: summaryOfSystem(rounds.off), on: summaryOfSystem(rounds.on) },
  };
}
