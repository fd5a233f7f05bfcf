import type { Closing } from "../support/closing.ts";
import { JobProcess } from "../support/job-process.ts";
import type { GeneratorJob } from "./generator.ts";
import type { PartOfBurst } from "./outcomes.ts";
import type { PartOptions } from "./part-sender.ts";

/** The processes of the load generator. They share the connections and the users. */
export class Generators {
  private readonly processes: readonly JobProcess[];

  private constructor(processes: readonly JobProcess[]) {
    this.processes = processes;
  }

  static start(closing: Closing, count: number): Generators {
    return new Generators(Array.from({ length: count }, () => JobProcess.start(closing, "bench/burst/generator.ts")));
  }

  /** Process ids by name. */
  get pids(): Record<string, number | undefined> {
    const name = (i: number) => (this.processes.length === 1 ? "generator" : `generator-${i + 1}`);
    return Object.fromEntries(this.processes.map(({ pid }, i) => [name(i), pid]));
  }

  /** Makes the requests and opens the connections. Nothing is sent. */
  async load({ ports, connections, from, tokens, rooms }: PartOptions): Promise<void> {
    const share = (all: number, i: number) => Math.round((all * i) / this.processes.length);
    await Promise.all(
      this.processes.map((one, i) => {
        const [first, end] = [share(tokens.length, i), share(tokens.length, i + 1)];
        const own = share(connections, i + 1) - share(connections, i);
        const part = { ports, connections: own, from: from + first, tokens: tokens.slice(first, end), rooms };
        return one.do({ kind: "load", ...part } satisfies GeneratorJob);
      }),
    );
  }

  /** Resolves once every gift is answered, or its connection is lost. */
  send(): Promise<PartOfBurst[]> {
    const job: GeneratorJob = { kind: "send" };
    return Promise.all(this.processes.map((one) => one.do<PartOfBurst>(job)));
  }
}
