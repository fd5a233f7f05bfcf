import type { ServiceBroker } from "moleculer";
import { type ServiceName, serviceNames } from "../broker/service-names.ts";
import { shown } from "../broker/unknown-values.ts";
import { limits } from "../config/limits.ts";
import type { HealthReport } from "./health.mixin.ts";

/** What every node of every service says of its dependencies, for those who may call `health` of all. */

export interface NodeHealth {
  ready: boolean;
  /** The status of the node's dependencies, or the reason why it did not answer. */
  report: HealthReport | { failure: string };
}

/** By service and node id. A service is ready while one of its nodes is. */
export type SystemHealth = Record<ServiceName, { ready: boolean; nodes: Record<string, NodeHealth> }>;

async function healthOf(broker: ServiceBroker, service: string, nodeID: string): Promise<NodeHealth> {
  try {
    const options = { nodeID, timeout: limits.http.healthNodeTimeoutMs };
    const report = await broker.call<HealthReport, object>(`${service}.health`, {}, options);
    return { ready: Object.values(report).every((works) => typeof works !== "string"), report };
  } catch (error) {
    return { ready: false, report: { failure: shown((error as { type?: unknown } | null)?.type ?? "did not answer") } };
  }
}

/** Asks every live node of every service, each at most `limits.http.healthNodeTimeoutMs`. Never rejects. */
export async function systemHealth(broker: ServiceBroker): Promise<SystemHealth> {
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
  return Object.fromEntries(entries) as SystemHealth;
}
