import { serviceNames } from "../../broker/service-names.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import type { BenchContext } from "../support/context.ts";
import { startServices } from "../support/nodes.ts";

/** Nodes of the cluster: its label and its services. */
const named: readonly (readonly [label: string, services: readonly string[]])[] = [
  ["api-gateway-1", ["api-gateway"]],
  ["api-gateway-2", ["api-gateway"]],
  ["gift-1", ["gift"]],
  ["gift-2", ["gift"]],
  ["wallet-1", ["wallet"]],
  ["wallet-2", ["wallet"]],
  ["im-router", ["im-router"]],
  ["im-server", ["im-server"]],
];
type Nodes = typeof named;

/** The nodes of a topology, where each service of `apart` is one of its own. */
function nodesOf(topology: BenchContext["topology"], apart: readonly string[]): Nodes {
  const own: Nodes = [...(topology === "cluster" ? named : []), ...apart.map((name) => [name, [name]] as const)];
  const others = serviceNames.filter((name) => !own.some(([, services]) => services.includes(name)));
  if (own.length === 0) return [["services", ["all"]]];
  return [...own, [topology === "cluster" ? "others" : "services", others]];
}

const readyDeadlineMs = 30_000;

/** Every service, in one process or in several. */
export interface WholeSystem {
  /** The ports of its gateways. */
  ports: readonly number[];
  /** Process ids by name. */
  pids: Record<string, number>;
  stop(): Promise<void>;
}

async function isReady(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;
}

/**
 * Resolves once each gateway reports that all services are ready. The profile is that of the one process, or of the
 * first service that is apart from it.
 */
export async function startSystem(context: BenchContext, apart: readonly string[] = []): Promise<WholeSystem> {
  const { topology, profile } = context;
  const profiled = topology === "single" ? (apart[0] ?? "services") : undefined;
  const nodes = await Promise.all(
    nodesOf(topology, apart).map(([label, services]) =>
      startServices(context, label, services, label === profiled ? profile : undefined),
    ),
  );
  const ports = nodes.flatMap(({ about }) => about.ports?.["api-gateway"] ?? []);
  for (const port of ports)
    if (!(await becomesTrue(() => isReady(port), readyDeadlineMs, 200)))
      throw new Error(`the system is not ready at port ${port}: see its logs`);
  return {
    ports,
    pids: Object.fromEntries(nodes.map(({ label, pid }) => [label, pid])),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}
