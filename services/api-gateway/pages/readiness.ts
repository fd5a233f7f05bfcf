import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { backgroundServices, isServiceName, type ServiceName, serviceNames } from "../../../broker/service-names.ts";
import { shown } from "../../../broker/unknown-values.ts";
import { limits } from "../../../config/limits.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import type { Fields } from "../../../mixins/http/request/fields.ts";

interface NodeHealth {
  ready: boolean;
  /** The status of the node's dependencies, or the reason why it did not answer. */
  report: HealthReport | { failure: string };
}

interface Readiness {
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
 * Asks every node of every service for the status of its dependencies. The system is ready while each service but those
 * of `backgroundServices` has a ready node, and as seen from this gateway, while it is ready itself: one unhealthy node
 * of several is shown, but does not remove other gateways from the load balancer.
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
  // A gateway that lets nobody in takes no requests, however many others could.
  const isReadyItself = services["api-gateway"].nodes[broker.nodeID]?.ready === true;
  const isReady = entries.every(([name, { ready }]) => ready || backgroundServices.has(name));
  return { ready: isReadyItself && isReady, services };
}

/** A service on a host: a container asks about itself. */
export interface Place {
  service: ServiceName;
  host: string;
}

/**
 * The place that `?service=...&host=...` names, `undefined` where neither is given. The caller knows the host already:
 * the answer names no node. Fails: badRequest.
 */
export function placeAskedFor({ service, host }: Fields): Place | undefined {
  if (service === undefined && host === undefined) return undefined;
  if (typeof service !== "string" || !isServiceName(service) || typeof host !== "string" || host === "")
    throw fail("badRequest", { why: "service and host must be given together" });
  return { service, host };
}

/** Whether the service has a ready node on the host. */
export function isReadyAt(broker: ServiceBroker, services: Readiness["services"], { service, host }: Place): boolean {
  const { nodes } = services[service];
  const known = broker.registry.getNodeList({ onlyAvailable: true }) as unknown as { id: string; hostname: string }[];
  return known.some(({ id, hostname }) => hostname === host && nodes[id]?.ready === true);
}

/** For callers without the token: which service is ready, without nodes and reasons. */
export function withoutNodes(services: Readiness["services"]): Record<string, { ready: boolean }> {
  return Object.fromEntries(Object.entries(services).map(([name, { ready }]) => [name, { ready }]));
}
