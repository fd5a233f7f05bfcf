import { type ServiceBroker as Broker, ServiceBroker, type ServiceSchema } from "moleculer";
import { areServicesOf } from "../../broker/bus/packet-checks.ts";
import { roleOfNode } from "../../broker/bus/subjects.ts";
import { brokerOptions } from "../../broker/options.ts";
import { config } from "../../config/config.ts";
import { dropNamespace } from "../../scripts/drop-namespace.ts";
import { eventually } from "./eventually.ts";

export { eventually } from "./eventually.ts";

const started: Broker[] = [];

/** Of a node that may call whatever a service or a person may: tests call in the place of both. */
const anyone = "all+console";

/**
 * Starts a node with the given services (schemas, or fakes of a neighbour made in the test). Resolves once this node and
 * those that were started before know each other's services: what one of them knows says nothing about the others.
 * Stopped by `stopAll`. Tests of who may do what give its role (broker/bus/roles.ts).
 */
export async function startNode(label: string, schemas: readonly ServiceSchema[], role = anyone): Promise<Broker> {
  const broker = new ServiceBroker(brokerOptions({ role, label }));
  for (const schema of schemas) broker.createService(schema);
  started.push(broker);
  await broker.start();
  // Moleculer tells others of a new service after a second in which none was added.
  (broker as unknown as { localServiceChanged: { flush(): void } }).localServiceChanged.flush();
  await Promise.all(started.filter((other) => other !== broker).map((other) => meet(broker, other)));
  return broker;
}

/** A node that starts, has stopped or has no connection meets nobody. */
const isThere = ({ started: isStarted, transit }: Broker) => isStarted && transit?.connected === true;

/** Whether `broker` can call the other's services; a node with others than those of the system is refused as a whole. */
function knows(broker: Broker, other: Broker): boolean {
  const services: readonly { name?: string }[] = other.getLocalNodeInfo().services;
  if (!areServicesOf(roleOfNode(other.nodeID), services)) return true;
  return services.every(({ name }) => broker.registry.hasService(name as string, other.nodeID));
}

async function meet(one: Broker, other: Broker): Promise<void> {
  await eventually(
    `${one.nodeID} and ${other.nodeID} know each other's services`,
    () => !isThere(one) || !isThere(other) || (knows(one, other) && knows(other, one)),
    25_000,
  );
}

/** Waits until `broker` can call a service on a given node. */
export async function waitForNode(broker: Broker, service: string, nodeID: string): Promise<void> {
  await eventually(`${service} on ${nodeID}`, () => broker.registry.hasService(service, nodeID), 25_000);
}

/** Waits until `broker` calls a service on a killed node no longer: it notices that late. */
export async function waitUntilForgotten(broker: Broker, service: string, nodeID: string): Promise<void> {
  await eventually(`${nodeID} is forgotten`, () => !broker.registry.hasService(service, nodeID), 45_000);
}

/** Stops one node before the end, as a drain would. */
export async function stopNode(broker: Broker): Promise<void> {
  const at = started.indexOf(broker);
  if (at >= 0) started.splice(at, 1);
  await broker.stop();
}

/** Stops every node and removes what this test file's namespace left on the servers: for `afterAll`. */
export async function stopAll(): Promise<void> {
  for (const broker of started.splice(0).reverse()) await broker.stop();
  const { NAMESPACE, NATS_URL, REDIS_URL, MYSQL_URL } = config();
  await dropNamespace(NAMESPACE, { natsUrl: NATS_URL, redisUrl: REDIS_URL, mysqlUrl: MYSQL_URL });
}
