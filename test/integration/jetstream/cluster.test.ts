import type { ServiceBroker } from "moleculer";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { failureName } from "../../../broker/failure.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { expectWithin } from "../../support/in-time.ts";
import { type NatsCluster, natsCluster } from "../../support/nats-cluster.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { Handled, jobs, sampleOn, sampleService, streamHealth } from "./sample.ts";

/** Nodes of a NATS cluster of three, one of whose servers dies under them: streams have three replicas. */

jest.setTimeout(60_000);

/** How long a publication may need after a server died: the bus notices, a leader is elected, the node connects anew. */
const healWithinMs = 15_000;
/** What a busy machine may add to a bound. */
const busyMs = 5_000;

let cluster: NatsCluster;
let connection: NatsConnection;
let manager: JetStreamManager;
let nodes: ServiceBroker[] = [];
const handled = new Handled();

beforeAll(async () => {
  cluster = await natsCluster();
  // The first one is down, as one of a cluster may be when a node starts.
  process.env.NATS_URL = `nats://admin:of-this-test-alone@127.0.0.1:1,${cluster.url}`;
  process.env.PROVISIONER_NATS_URL = process.env.NATS_URL;
  process.env.NATS_ADMIN_URL = process.env.NATS_URL;
  process.env.JETSTREAM_REPLICAS = "3";
  connection = await connect(natsOptions("cluster-test"));
  manager = await connection.jetstreamManager({ timeout: 2_000 });
  nodes = await Promise.all(["one", "two"].map((label) => startNode(label, [sampleService(handled)])));
});
afterAll(async () => {
  await connection?.close();
  await stopAll();
  await cluster?.close();
});

interface Client {
  readonly nc: NatsConnection;
}
const placeOf = (node: ServiceBroker) =>
  (sampleOn(node).jetstream.manager as unknown as Client).nc.getServer() as string;

/** By either node, again and again until it is taken, as whoever has a business id may. */
async function publish(id: string, at: number): Promise<void> {
  const { jetstream } = sampleOn(nodes[Math.floor(at / 2) % 2] as ServiceBroker);
  const take = () =>
    jetstream.publish(`job.${at % 2}`, { id }, { msgId: id }).then(
      () => true,
      () => false,
    );
  await eventually(`${id} is taken`, take, healWithinMs);
}

/** Publishes in lanes, and ends a server when half of it is done. */
async function publishWhile(name: string, act: () => Promise<void>): Promise<string[]> {
  const ids = Array.from({ length: 400 }, (_one, at) => `${name}-${at}`);
  let [next, acted] = [0, Promise.resolve()];
  const lane = async () => {
    for (let at = next++; at < ids.length; at = next++) {
      if (at === ids.length / 2) acted = act();
      await publish(ids[at] as string, at);
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  await acted;
  return ids;
}

async function expectEachHandled(ids: readonly string[]): Promise<void> {
  const missing = () => ids.filter((id) => !handled.jobs.includes(id));
  await eventually("each is handled", () => missing().length === 0, healWithinMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${missing().length} of ${ids.length}, ${missing().slice(0, 5)}`);
  });
}

const expectHealthy = () =>
  eventually(
    "the nodes are healthy",
    async () => (await Promise.all(nodes.map(streamHealth))).every((health) => health === true),
    20_000,
  );

const leaderOf = async (stream: string) =>
  (await manager.streams.info(natsPrefix() + stream).catch(() => undefined))?.cluster?.leader;

async function startAgain(place: string): Promise<void> {
  cluster.member(place).start();
  await eventually(
    "every stream has three replicas",
    async () => {
      const info = await manager.streams.info(`${natsPrefix()}${jobs.name}-0`).catch(() => undefined);
      const others = info?.cluster?.replicas ?? [];
      return others.length === 2 && others.every(({ current }) => current);
    },
    20_000,
  );
}

test("nodes start while one of their servers is down", async () => {
  expect(new Set(nodes.map((node) => node.nodeID)).size).toBe(2);
  await expectHealthy();
});

test("the servers agree on every stream that nodes made at once", async () => {
  const described: Record<string, string | undefined> = {};
  await eventually("all say so", async () => {
    for await (const { config } of manager.streams.list()) described[config.name] = config.description;
    const descriptions = Object.values(described);
    return descriptions.length > 2 && descriptions.every((one) => one === "its servers agree");
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(described)}`);
  });
});

test("the server that a node is connected to dies under messages: none is lost, each is handled, and no node ends", async () => {
  const [one] = nodes as [ServiceBroker];
  const dying = cluster.member(placeOf(one));
  const ids = await publishWhile("connected", () => dying.kill());
  await expectEachHandled(ids);
  expect(placeOf(one)).not.toBe(dying.place);
  await expectHealthy();
  await startAgain(dying.place);
});

test("the leader of a stream and of its consumer dies under messages: none is lost, each is handled", async () => {
  const leader = await eventually("there is a leader", () => leaderOf(`${jobs.name}-0`));
  const dying = cluster.members.find(({ name }) => name === leader);
  const ids = await publishWhile("leader", () => dying?.kill() ?? Promise.reject(new Error(`no member ${leader}`)));
  await expectEachHandled(ids);
  await expectHealthy();
  await startAgain(dying?.place as string);
});

test("without a quorum a publication is unavailable, within its bound, and is taken when the servers are back", async () => {
  const [first, second] = cluster.members as [(typeof cluster.members)[0], (typeof cluster.members)[0]];
  await Promise.all([first.kill(), second.kill()]);
  const { jetstream } = sampleOn(nodes[0] as ServiceBroker);
  const { publishAttempts, publishTimeoutMs, publishBackoffMs } = limits.jetstream;
  const startedAt = performance.now();
  const outcome = await jetstream.publish("job.1", { id: "waits" }, { msgId: "waits" }).catch(failureName);
  expect(outcome).toBe("unavailable");
  const boundMs = publishAttempts * (publishTimeoutMs + publishBackoffMs * publishAttempts);
  expectWithin("the outcome of a publication without a quorum", boundMs + busyMs, startedAt);
  first.start();
  second.start();
  await publish("waits", 0);
  await expectEachHandled(["waits"]);
  await expectHealthy();
});
