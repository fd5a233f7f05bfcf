import type { ServiceBroker } from "moleculer";
import { type ServiceName, serviceNames } from "../../../broker/launch.ts";
import { shown } from "../../../broker/unknown-values.ts";
import { limits } from "../../../config/limits.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";

interface NodeHealth {
  ready: boolean;
  /** What the node says of its dependencies, or why it said nothing. */
  report: HealthReport | { failure: string };
}

export interface Readiness {
  ready: boolean;
  services: Record<ServiceName, { ready: boolean; nodes: Record<string, NodeHealth> }>;
}

async function healthOf(broker: ServiceBroker, service: string, nodeID: string): Promise<NodeHealth> {
  try {
    const options = { nodeID, timeout: limits.http.healthNodeTimeoutMs };
    const report = await broker.call<HealthReport, object>(`${service}.health`, {}, options);
    return { ready: Object.values(report).every((works) => typeof works !== "string"), report };
  } catch (error) {
    return { ready: false, report: { failure: shown((error as { type?: unknown } | null)?.type ?? "did not answer") } };
  }
}

/**
 * Asks every node of every service how its dependencies are. The system is ready while each service has a node that is:
 * one sick node of several is shown, but it does not take all gateways out of the load balancer.
 */
export async function readiness(broker: ServiceBroker): Promise<Readiness> {
  const present = broker.registry.getServiceList({ onlyAvailable: true, skipInternal: true }) as unknown as {
    name: string;
    nodeID: string;
  }[];
  const entries = await Promise.all(
    serviceNames.map(async (name) => {
      const nodeIds = present.filter((service) => service.name === name).map(({ nodeID }) => nodeID);
      const nodes = await Promise.all(nodeIds.map(async (id) => [id, await healthOf(broker, name, id)] as const));
      return [name, { ready: nodes.some(([, { ready }]) => ready), nodes: Object.fromEntries(nodes) }] as const;
    }),
  );
  const services = Object.fromEntries(entries) as Readiness["services"];
  return { ready: entries.every(([, { ready }]) => ready), services };
}

/** The nodes with their state, and with the reasons only where `reasons` is true. */
export function withReasons(services: Readiness["services"], reasons: boolean): object {
  if (reasons) return services;
  const nodesOf = (nodes: Record<string, NodeHealth>) =>
    Object.fromEntries(Object.entries(nodes).map(([id, { ready }]) => [id, { ready }]));
  return Object.fromEntries(
    Object.entries(services).map(([name, { ready, nodes }]) => [name, { ready, nodes: nodesOf(nodes) }]),
  );
}

/** The same for strangers: which service is ready, not on which nodes, and not why. */
export function withoutNodes(services: Readiness["services"]): Record<string, { ready: boolean }> {
  return Object.fromEntries(Object.entries(services).map(([name, { ready }]) => [name, { ready }]));
}
