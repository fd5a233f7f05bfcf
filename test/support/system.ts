import { type ServiceBroker as Broker, ServiceBroker, type ServiceSchema } from "moleculer";
import { createConnection } from "mysql2/promise";
import { connect } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { brokerOptions } from "../../broker/options.ts";
import { config, natsPrefix } from "../../config/config.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";

const started: Broker[] = [];

/** Starts a node with the given services (schemas, or fakes of a neighbour made in the test). Stopped by `stopAll`. */
export async function startNode(label: string, schemas: readonly ServiceSchema[]): Promise<Broker> {
  const broker = new ServiceBroker(brokerOptions(label));
  for (const schema of schemas) broker.createService(schema);
  started.push(broker);
  await broker.start();
  return broker;
}

/** Waits until `broker` can call a service on a given node. */
export async function waitForNode(broker: Broker, service: string, nodeID: string): Promise<void> {
  await eventually(`${service} on ${nodeID}`, () => broker.registry.hasService(service, nodeID));
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
  await Promise.all([dropDatabases(), dropStreams(), dropKeys()]);
}

async function dropDatabases(): Promise<void> {
  const connection = await createConnection(config().MYSQL_URL);
  const [rows] = await connection.query(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ?",
    [`${config().NAMESPACE.replaceAll("_", "\\_")}\\_%`],
  );
  for (const { name } of rows as { name: string }[]) await connection.query(`DROP DATABASE \`${name}\``);
  await connection.end();
}

async function dropStreams(): Promise<void> {
  const connection = await connect(natsOptions("cleanup"));
  const manager = await connection.jetstreamManager();
  for await (const stream of manager.streams.list())
    if (natsPrefix() && stream.config.name.startsWith(natsPrefix())) await manager.streams.delete(stream.config.name);
  await connection.close();
}

async function dropKeys(): Promise<void> {
  const redis = openRedis("cleanup");
  await redis.connect();
  const prefix = `${config().NAMESPACE}:`;
  const keys = await redis.keys(`${prefix}*`);
  if (keys.length > 0) await redis.del(keys.map((key) => key.slice(prefix.length)));
  redis.disconnect();
}

/**
 * Waits until `check` gives something truthy and resolves to it: for what cannot be awaited as an event.
 * @throws Error with `what` and the last value, where it does not come true in time.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T> | T,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${JSON.stringify(value)})`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
