import type { Closing } from "../../bench/support/closing.ts";
import { JobProcess } from "../../bench/support/job-process.ts";
import type { ProcessEnv } from "../../bench/support/servers.ts";
import type { HaStack } from "../../scripts/stack/ha/ha-stack.ts";
import type { ServerKind } from "./places.ts";

export type WiresJob =
  /** The ports of servers, and of sentinels, which name servers. Answered with the wires' ports. */
  | { do: "open"; servers: readonly number[]; sentinels: readonly number[] }
  | { do: "cut" | "mend" | "made"; ports: readonly number[] };

/** The port of the wire to each server's port. */
export type Wired = Record<number, number>;

const kinds = { nats: ["nats"], mysql: ["proxy"], redis: ["redis", "sentinel"] } as const;

/** One node's wires to all servers, which can be cut. */
export class Wires {
  private readonly process: Pick<JobProcess, "do">;
  private readonly ha: HaStack;
  private readonly ports: Wired;

  private constructor(process: Pick<JobProcess, "do">, ha: HaStack, ports: Wired) {
    this.process = process;
    this.ha = ha;
    this.ports = ports;
  }

  /** @throws Error where a port has not five digits */
  static async open(process: Pick<JobProcess, "do">, ha: HaStack): Promise<Wires> {
    const portsOf = (...names: readonly ("nats" | "proxy" | "redis" | "sentinel")[]) =>
      names.flatMap((kind) => ha.ofKind(kind).map(({ port }) => port));
    const job: WiresJob = { do: "open", servers: portsOf("nats", "proxy", "redis"), sentinels: portsOf("sentinel") };
    const ports = await process.do<Wired>(job);
    for (const port of Object.entries(ports).flat())
      if (String(port).length !== 5) throw new Error(`a wire needs ports of five digits, not ${port}`);
    return new Wires(process, ha, ports);
  }

  /** The environment with the wires in place of the servers; what a node gets of this process's is in it. */
  lead(own: ProcessEnv): ProcessEnv {
    const env = { ...process.env, ...own };
    const led = (text: string) => text.replace(/127\.0\.0\.1:(\d{5})/g, (all, port) => this.through(all, Number(port)));
    return Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, /_URL$/.test(name) ? value && led(value) : value]),
    );
  }

  /** The connections to servers of this kind so far. */
  made(kind: ServerKind): Promise<number> {
    return this.process.do<number>({ do: "made", ports: this.portsTo(kind) } satisfies WiresJob);
  }

  /** Nothing passes any more; neither side is told. */
  async cut(kind: ServerKind): Promise<void> {
    await this.process.do({ do: "cut", ports: this.portsTo(kind) } satisfies WiresJob);
  }

  async mend(kind: ServerKind): Promise<void> {
    await this.process.do({ do: "mend", ports: this.portsTo(kind) } satisfies WiresJob);
  }

  private portsTo(kind: ServerKind): number[] {
    const servers = kinds[kind].flatMap((name) => this.ha.ofKind(name));
    return servers.map(({ port }) => this.ports[port] as number);
  }

  private through(all: string, port: number): string {
    return this.ports[port] === undefined ? all : `127.0.0.1:${this.ports[port]}`;
  }
}

/** The process of all wires, which is asked one thing at a time, however many nodes start at once. */
export function startWires(closing: Closing): Pick<JobProcess, "do"> {
  const wires = JobProcess.start(closing, "drill/system/wires-process.ts");
  let last: Promise<unknown> = Promise.resolve();
  return {
    do<Report>(job: object): Promise<Report> {
      const next = last.then(() => wires.do<Report>(job));
      last = next.catch(() => undefined);
      return next;
    },
  };
}
