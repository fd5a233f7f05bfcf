import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Closing } from "../../bench/support/closing.ts";
import type { BenchServers, ProcessEnv } from "../../bench/support/servers.ts";
import { projectRoot } from "../../config/root.ts";
import { readinessPath } from "../../mixins/http/front-door.ts";
import type { SystemHealth } from "../../mixins/system-health.ts";
import { type NodeReady, readNodeReady, startNodeChild } from "../../scripts/node-child.ts";
import type { RestartLimits } from "../../scripts/restart-policy.ts";
import type { HaStack } from "../../scripts/stack/ha/ha-stack.ts";
import { claimFreePort } from "../../scripts/stack/ports.ts";
import { becomesTrue, messageOf } from "../../scripts/stack/wait.ts";
import { Supervised } from "../../scripts/supervisor.ts";
import type { Place } from "./places.ts";
import { startWires, Wires } from "./wires.ts";

/** Each node is started again at once, however often it was killed. */
const restarts: RestartLimits = { most: 10_000, withinMs: 60_000, firstPauseMs: 500, maxPauseMs: 500 };
const readyMs = 120_000;
const healthMs = 5_000;
const pollMs = 250;
/** Services start so many at once: a node that starts needs a core for some seconds. */
const startedTogether = 4;

/** One of the two nodes of a place. */
export interface DrillNode {
  readonly label: string;
  readonly place: Place;
  readonly number: 1 | 2;
  /** Its way to the servers can be cut. */
  readonly wires: Wires | undefined;
  readonly process: Supervised<NodeReady>;
  /** Its latest start. */
  latest: NodeReady | undefined;
  /** How often it has started. */
  starts: number;
}

export interface NodesOptions {
  servers: BenchServers;
  ha: HaStack;
  closing: Closing;
  places: readonly Place[];
  /** Whether second nodes reach the servers by wires, and their clocks can be shifted. */
  wired: boolean;
  progress: (line: string) => void;
}

/** Two nodes of each place, each started again when it ends by itself. */
export class DrillNodes {
  private readonly options: NodesOptions;
  private nodes: DrillNode[] = [];
  private readonly clockFile: string;
  /** Of the gateways, chosen before their start: the entrance leads there. */
  private readonly gatewayPorts: [number, number];
  /** Nodes that ended by themselves, in words for people, since the last `takeEnds`. */
  private ends: string[] = [];
  private running = true;

  private constructor(options: NodesOptions, gatewayPorts: [number, number]) {
    this.options = options;
    this.gatewayPorts = gatewayPorts;
    this.clockFile = join(options.servers.logs, "clock-of-second-nodes");
  }

  static async prepare(options: NodesOptions, taken: Set<number>): Promise<DrillNodes> {
    mkdirSync(options.servers.logs, { recursive: true });
    const ports: [number, number] = [await claimFreePort(20_200, taken), await claimFreePort(20_200, taken)];
    const nodes = new DrillNodes(options, ports);
    options.closing.add(() => nodes.stop());
    return nodes;
  }

  get gateways(): readonly number[] {
    return this.gatewayPorts;
  }

  get all(): readonly DrillNode[] {
    return this.nodes;
  }

  /** Starts all nodes; resolves once each sees all others ready. */
  async start(): Promise<void> {
    const { places, wired, ha, closing, servers } = this.options;
    this.running = true;
    this.nodes = [];
    writeFileSync(this.clockFile, "0");
    const wiring = wired ? startWires(closing) : undefined;
    // All logins at once: while a server reads its configuration again it refuses others for a moment.
    const envs: ProcessEnv[] = [];
    for (const { services } of places) envs.push(await servers.envOf(services));
    const all = ([1, 2] as const).flatMap((number) => places.map((place, at) => ({ place, number, env: envs[at] })));
    // The first is that of the provisioner.
    for (let from = 0, size = 1; from < all.length; from += size, size = startedTogether) {
      const some = all.slice(from, from + size);
      await Promise.all(
        some.map(async ({ place, number, env = {} }) => {
          const wires = wiring && number === 2 ? await Wires.open(wiring, ha) : undefined;
          const node = this.startNode(place, number, env, wires);
          this.nodes.push(node);
          await node.process.ready;
        }),
      );
    }
    await this.untilReady(this.nodes);
  }

  node(place: string, number: 1 | 2): DrillNode {
    const found = this.nodes.find((node) => node.place.name === place && node.number === number);
    if (!found) throw new Error(`there is no node ${place}-${number}`);
    return found;
  }

  /** Resolves once every gateway sees the latest start of these nodes ready. */
  async untilReady(nodes: readonly DrillNode[]): Promise<void> {
    let complaint = "never asked";
    const ready = async () => {
      try {
        for (const health of await this.health())
          for (const { latest, place, label } of nodes)
            for (const service of place.services) {
              const found = latest && health[service].nodes[latest.nodeId];
              if (!found?.ready)
                throw new Error(`${service} of ${label}: ${JSON.stringify(found?.report ?? "absent")}`);
            }
        return true;
      } catch (error) {
        complaint = messageOf(error);
        return false;
      }
    };
    if (!(await becomesTrue(ready, readyMs, pollMs)))
      throw new Error(`not ready within ${readyMs / 1000} s: ${complaint}`);
  }

  signal(node: DrillNode, signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    process.kill(node.process.pid as number, signal);
  }

  /** Lets paused ones go on. */
  resumeAll(): void {
    for (const { process: child } of this.nodes)
      if (child.pid !== undefined) tryTo(() => process.kill(child.pid as number, "SIGCONT"));
  }

  /** Resolves once it has been started again `starts` times in all, and is ready. */
  async untilStarted(node: DrillNode, starts: number): Promise<void> {
    if (!(await becomesTrue(() => node.starts >= starts, readyMs, pollMs)))
      throw new Error(`${node.label} was not started again within ${readyMs / 1000} s`);
  }

  /** The clocks of all second nodes differ from the machine's by so much from now on. */
  shiftClocks(ms: number): void {
    writeFileSync(this.clockFile, String(ms));
  }

  /** Nodes that ended by themselves since the last call. */
  takeEnds(): string[] {
    return this.ends.splice(0);
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.nodes.map((node) => this.stopNode(node)));
    this.nodes = [];
  }

  private async stopNode(node: DrillNode): Promise<void> {
    const { pid } = node.process;
    // A paused process does not obey.
    if (pid !== undefined) tryTo(() => process.kill(pid, "SIGCONT"));
    await node.process.stop();
  }

  private startNode(place: Place, number: 1 | 2, settings: ProcessEnv, wires: Wires | undefined): DrillNode {
    const label = `${place.name}-${number}`;
    const clock = wires && {
      DRILL_CLOCK: this.clockFile,
      NODE_OPTIONS: `--import=${pathToFileURL(join(projectRoot(), "drill/system/shifted-clock.ts")).href}`,
    };
    const env = {
      ...(wires ? wires.lead(settings) : settings),
      ...clock,
      API_PORT: String(this.gatewayPorts[number - 1]),
    };
    const output = { file: join(this.options.servers.logs, `${label}.log`) };
    const services = place.services;
    const node: DrillNode = {
      ...{ label, place, number, wires, latest: undefined, starts: 0 },
      process: new Supervised({
        name: label,
        start: (former) => startNodeChild({ label, services, env, former, output, readyDeadlineMs: readyMs }),
        read: readNodeReady,
        limits: restarts,
        tell: (line) => this.running && this.ends.push(line.split("\n", 1)[0] as string),
        restarted: (ready) => started(ready),
      }),
    };
    const started = (ready: NodeReady) => {
      node.latest = ready;
      node.starts++;
    };
    node.process.ready.then(started, () => undefined);
    return node;
  }

  private async health(): Promise<SystemHealth[]> {
    return Promise.all(
      this.gatewayPorts.map(async (port) => {
        const response = await fetch(`http://127.0.0.1:${port}${readinessPath}`, {
          signal: AbortSignal.timeout(healthMs),
        });
        return ((await response.json()) as { services: SystemHealth }).services;
      }),
    );
  }
}

/** A process that has ended gets no signal. */
function tryTo(send: () => void): void {
  try {
    send();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
