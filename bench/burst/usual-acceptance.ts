import { baselineProblems, seedBaseline } from "../baseline/baseline.ts";
import type { BenchContext } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import { type BenchProcess, spawnProcess } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import { senderId } from "../support/seed.ts";
import type { Generators } from "./generators.ts";
import { wholeBurst } from "./outcomes.ts";

const warmUpGifts = 1_000;
const giftsAtMost = 10_000;
/** Half of them run before the product, half after it, so that other load of the machine affects both. */
const parts = 4;

/** The load of each part. */
interface Load {
  connections: number;
  rooms: number;
}

/** The usual design accepts gifts (usual-endpoint.ts), under the same load from the same generator. */
export class UsualAcceptance {
  private readonly context: BenchContext;
  private readonly generators: Generators;
  private readonly endpoint: BenchProcess;
  private readonly load: Load;
  private readonly rates: number[] = [];
  private users = 0;
  private accepted = 0;
  private measured = 0;
  /** µs, without the generator. */
  private cpu = 0;

  private constructor(context: BenchContext, generators: Generators, endpoint: BenchProcess, load: Load) {
    this.context = context;
    this.generators = generators;
    this.endpoint = endpoint;
    this.load = load;
  }

  /** Starts the endpoint and warms it up. */
  static async open(context: BenchContext, generators: Generators, load: Load): Promise<UsualAcceptance> {
    await seedBaseline(warmUpGifts + giftsAtMost, context.progress);
    const { started } = spawnProcess(context, { label: "usual", script: "bench/burst/usual-endpoint.ts" });
    const usual = new UsualAcceptance(context, generators, await started, load);
    await usual.send(warmUpGifts);
    return usual;
  }

  /** Measures half of the parts, which have `gifts` gifts together, at most 10,000. */
  async half(gifts: number): Promise<void> {
    const { servers, progress } = this.context;
    for (let part = 0; part < parts / 2; part++) {
      const cpuSince = countCpu({ services: this.endpoint.pid, ...servers.pids });
      const { accepted, firstAt, lastAt } = await this.send(Math.ceil(Math.min(gifts, giftsAtMost) / parts));
      this.cpu += Object.values(cpuSince()).reduce((sum, micros) => sum + micros, 0);
      this.measured += accepted;
      this.rates.push(Math.round((accepted * 1_000) / (lastAt - firstAt)));
      progress(`the usual design accepts ${this.rates.at(-1)} gifts a second`);
    }
  }

  /** The median of the parts' rates, and the cost of a gift over all parts. */
  result() {
    return {
      baselineRate: Math.round(median(this.rates)),
      baselineRates: this.rates,
      baselineGifts: this.measured,
      baselineCpuMicrosPerGift: rounded(this.cpu / this.measured, 1),
    };
  }

  problems(): Promise<string[]> {
    return baselineProblems(this.accepted);
  }

  /** The next users send a gift each. */
  private async send(gifts: number) {
    const { generators, endpoint, load, users, context } = this;
    this.users += gifts;
    const ports = [endpoint.about.port as number];
    const tokens = Array.from({ length: gifts }, (_, i) => senderId(users + i));
    await generators.load({ ...load, ports, from: users, tokens });
    const burst = wholeBurst(await generators.send());
    this.accepted += burst.accepted;
    for (const [reason, times] of Object.entries(burst.refusedBy))
      context.progress(`the usual design refused ${times} times: ${reason}`);
    return burst;
  }
}
