import type { Service } from "moleculer";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { serviceUrl, serviceUrlName } from "../../config/config.ts";
import { otherServerOf } from "./other-server.ts";
import { Provisioner } from "./provisioner.ts";
import type { Provisioning } from "./provisioning.ts";
import { RemoteProvisioning } from "./remote-provisioning.ts";
import { openManager } from "./start-patience.ts";

/** The way in which a process changes streams and consumers, until it is closed. */
export interface OpenProvisioning {
  readonly provisioning: Provisioning;
  /** Runs work of a start, which waits for a provisioner that is away. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  /** Ends what waits. */
  stop(): void;
  close(): Promise<void>;
}

/** A process that has the provisioner's login does it itself; any other asks the service. */
export async function openProvisioning(service: Service): Promise<OpenProvisioning> {
  if (process.env[serviceUrlName("NATS_URL", "provisioner")]) return openOwn(service);
  const ask = (action: string, params: Record<string, unknown>) => service.broker.call(action, params);
  const remote = new RemoteProvisioning(ask, service.logger);
  return {
    provisioning: remote,
    patiently: (work) => remote.patiently(work),
    stop: () => remote.stop(),
    close: async () => undefined,
  };
}

async function openOwn(service: Service): Promise<OpenProvisioning> {
  const name = `${service.broker.nodeID}-${service.name}-provisioning`;
  const url = serviceUrl("NATS_URL", "provisioner");
  const connection = await connectNats(natsOptions(name, url));
  try {
    const manager = await openManager(connection);
    return {
      provisioning: new Provisioner(manager, connection, otherServerOf(connection, url, service.logger)),
      patiently: (work) => work(),
      stop: () => undefined,
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
