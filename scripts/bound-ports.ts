import type { ServiceBroker } from "moleculer";

interface Listening {
  /** Of a gateway. */
  door?: { port?: number };
  /** Of an im-server. */
  listener?: { port?: number };
}

/** The ports a node's services listen on, by service name. */
export function portsOf(broker: ServiceBroker): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const name of ["api-gateway", "admin-gateway", "im-server"]) {
    const service = broker.getLocalService(name) as unknown as Listening | undefined;
    const port = service?.door?.port ?? service?.listener?.port;
    if (port) ports[name] = port;
  }
  return ports;
}
