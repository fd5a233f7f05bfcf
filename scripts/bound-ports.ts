import type { ServiceBroker } from "moleculer";

/** The ports a node's services listen on, by service name. */
export function portsOf(broker: ServiceBroker): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const name of ["api-gateway", "im-server"]) {
    const service = broker.getLocalService(name) as unknown as { boundPort?: number } | undefined;
    if (service?.boundPort) ports[name] = service.boundPort;
  }
  return ports;
}
