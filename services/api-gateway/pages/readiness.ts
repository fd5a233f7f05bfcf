import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { backgroundServices, isServiceName, type ServiceName, serviceNames } from "../../../broker/service-names.ts";
import type { Fields } from "../../../mixins/http/request/fields.ts";
import { type SystemHealth, systemHealth } from "../../../mixins/system-health.ts";

interface Readiness {
  ready: boolean;
  services: SystemHealth;
}

/**
 * Asks every node of every service for the status of its dependencies. The system is ready while each service but those
 * of `backgroundServices` has a ready node, and as seen from this gateway, while it is ready itself: one unhealthy node
 * of several is shown, but does not remove other gateways from the load balancer.
 */
export async function readiness(broker: ServiceBroker): Promise<Readiness> {
  const services = await systemHealth(broker);
  // A gateway that lets nobody in takes no requests, however many others could.
  const isReadyItself = services["api-gateway"].nodes[broker.nodeID]?.ready === true;
  const isReady = serviceNames.every((name) => services[name].ready || backgroundServices.has(name));
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

/** What the users' port tells nobody of who has no token. */
const ofStaff: ReadonlySet<string> = new Set<ServiceName>(["staff", "admin-gateway"]);

/** For callers without the token: which service is ready, without nodes and reasons, and without those of the staff. */
export function withoutNodes(services: Readiness["services"]): Record<string, { ready: boolean }> {
  const shown = Object.entries(services).filter(([name]) => !ofStaff.has(name));
  return Object.fromEntries(shown.map(([name, { ready }]) => [name, { ready }]));
}
