import type { ServiceBroker } from "moleculer";
import { processGauges } from "../../../broker/process-metrics.middleware.ts";
import { serviceNames } from "../../../broker/service-names.ts";
import { limits } from "../../../config/limits.ts";
import { type NodeHealth, systemHealth } from "../../../mixins/system-health.ts";

/** The nodes of every service: what each says of its dependencies, and of its process. */

/** A node, under one of its services; numbers are null where it did not answer. */
export interface NodeFigures {
  nodeId: string;
  ready: boolean;
  /** What is wrong; also of a node that is ready, where it is degraded. */
  problem: string | null;
  uptimeS: number | null;
  /** 100 is one core. */
  cpuPercent: number | null;
  memoryBytes: number | null;
}

export interface ServiceFigures {
  name: string;
  ready: boolean;
  nodes: NodeFigures[];
}

type Process = Pick<NodeFigures, "uptimeS" | "cpuPercent" | "memoryBytes">;

interface ReadMetric {
  readonly name: string;
  readonly values: readonly { readonly value?: unknown }[];
}

const unknown: Process = { uptimeS: null, cpuPercent: null, memoryBytes: null };

/** What is wrong with a node's dependencies, by name; `null` where nothing is. */
export function problemOf({ report }: Pick<NodeHealth, "report">): string | null {
  const problems = Object.entries(report).flatMap(([name, works]) => {
    if (works === true) return [];
    return [`${name}: ${typeof works === "string" ? works : works.degraded}`];
  });
  return problems.length === 0 ? null : problems.join("; ");
}

/** The figures of a process from its gauges; `null` where a gauge is missing or no number. */
export function processOf(metrics: readonly ReadMetric[]): Process {
  const gaugeOf = (name: string) => {
    const value = metrics.find((metric) => metric.name === name)?.values[0]?.value;
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  return {
    uptimeS: gaugeOf(processGauges.uptime.name),
    cpuPercent: gaugeOf(processGauges.cpu.name),
    memoryBytes: gaugeOf(processGauges.memory.name),
  };
}

/** A node that does not answer is shown without numbers. */
async function askProcess(broker: ServiceBroker, nodeID: string): Promise<Process> {
  const options = { nodeID, timeout: limits.http.metricsNodeTimeoutMs };
  const asked = { includes: Object.values(processGauges).map(({ name }) => name) };
  try {
    return processOf(await broker.call<ReadMetric[], object>("$node.metrics", asked, options));
  } catch (err) {
    broker.logger.warn({ err, node: nodeID }, "a node's process is missing from the figures");
    return unknown;
  }
}

/** Every service with its nodes, each node asked once for its process. Never rejects. */
export async function nodeFigures(broker: ServiceBroker): Promise<ServiceFigures[]> {
  const nodes = broker.registry.getNodeList({ onlyAvailable: true }) as unknown as { id: string }[];
  const [health, processes] = await Promise.all([
    systemHealth(broker),
    Promise.all(nodes.map(async ({ id }) => [id, await askProcess(broker, id)] as const)),
  ]);
  const byNode = new Map(processes);
  return serviceNames.map((name) => ({
    name,
    ready: health[name].ready,
    nodes: Object.entries(health[name].nodes).map(([nodeId, node]) => ({
      ...{ nodeId, ready: node.ready, problem: problemOf(node) },
      ...(byNode.get(nodeId) ?? unknown),
    })),
  }));
}
