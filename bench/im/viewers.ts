import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { ImBenchContext } from "./context.ts";
import { startScript } from "./processes.ts";

/** Latencies up to this are told apart, by the millisecond. */
export const latenciesMs = 20_000;

/** What viewers in one process have received since the last `begin`. */
export interface Received {
  frames: number;
  bytes: number;
  /** Orders received, over all viewers. */
  orders: number;
  /** The counts of distinct orders that each viewer has received, added up. */
  sums: number[];
  /** Whether an order came twice, or a viewer lost its connection. */
  faults: string[];
  /** How many orders took so many milliseconds from send to receipt. */
  latencies: Uint32Array;
}

export type Command = { do: "connect"; urls: string[] } | { do: "begin" } | { do: "report" };

/** Viewers of a room, in a process of their own so that their work is not the server's. */
export class Viewers {
  private readonly child: ChildProcess;

  constructor(context: ImBenchContext, label: string) {
    this.child = startScript(context, label, "bench/im/viewers-process.ts");
  }

  /** Resolves once all are greeted. */
  async connect(urls: string[]): Promise<void> {
    await this.ask({ do: "connect", urls });
  }

  async begin(): Promise<void> {
    await this.ask({ do: "begin" });
  }

  async report(): Promise<Received> {
    return (await this.ask({ do: "report" })) as Received;
  }

  private async ask(command: Command): Promise<unknown> {
    const answer = once(this.child, "message");
    this.child.send(command);
    const [{ error, result }] = (await answer) as [{ error?: string; result?: unknown }];
    if (error) throw new Error(error);
    return result;
  }
}
