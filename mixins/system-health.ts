import type { ServiceBroker } from "moleculer";
import { releaseOf, schemaOf } from "../broker/releases.ts";
import { type ServiceName, serviceNames } from "../broker/service-names.ts";
import { shown } from "../broker/unknown-values.ts";
import { limits } from "../config/limits.ts";
import type { HealthReport } from "./health.mixin.ts";

/** What every node of every service says of its dependencies, for those who may call `health` of all. */

export interface NodeHealth {
  ready: boolean;
  /** The release of its code, and of the schema that the service runs on where it has a database. */
  release: number;
  schema?: number;
  /** The status of the node's dependencies, or the reason why it did not answer. */
  report: HealthReport | { failure: string };
}

/** By service and node id. A service is ready while one of its nodes is. */
export type SystemHealth = Record<ServiceName, { ready: boolean; nodes: Record<string, NodeHealth> }>;

async function healthOf(broker: ServiceBroker, service: string, nodeID: string): Promise<NodeHealth> {
  const schema = schemaOf(broker, nodeID, service);
  const of = { release: releaseOf(broker, nodeID), ...(schema === undefined ? {} : { schema }) };
  try {
    const options = { nodeID, timeout: limits.http.healthNodeTimeoutMs };
    const report = await broker.call<HealthReport, object>(`${service}.health`, {}, options);
    return { ready: Object.values(report).every((works) => typeof works !== "string"), ...of, report };
  } catch (error) {
    const failure = shown((error as { type?: unknown } | null)?.type ?? "did not answer");
    return { ready: false, ...of, report: { failure } };
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
