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
const others = serviceNames.filter((name) => !named.some(([, services]) => services.includes(name)));
const cluster: typeof named = [...named, ["others", others]];
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

/** Resolves once each gateway reports that all services are ready. The profile is that of the one process. */
export async function startSystem(context: BenchContext): Promise<WholeSystem> {
  const { topology, profile } = context;
  const nodes =
    topology === "single"
      ? [await startServices(context, "services", ["all"], profile)]
      : await Promise.all(cluster.map(([label, services]) => startServices(context, label, services)));
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
