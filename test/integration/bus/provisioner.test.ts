/** @jest-environment ./test/support/own-nats-environment.cjs */
import { dirname } from "node:path";
import { ServiceBroker } from "moleculer";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { brokerOptions } from "../../../broker/options.ts";
import { isOutdated, releaseOf } from "../../../broker/releases.ts";
import { config, natsPrefix, serviceUrlName } from "../../../config/config.ts";
import { release } from "../../../config/release.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import { RemoteProvisioning } from "../../../mixins/jetstream/remote-provisioning.ts";
import { ensureNatsLogin, removeNatsLogins } from "../../../scripts/stack/nats-logins.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import provisioner from "../../../services/provisioner/provisioner.service.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";

/** A service with its own login at NATS has its streams and consumers made by the provisioner, over the bus. */

jest.setTimeout(60_000);

const { NAMESPACE } = config();
const stackDir = dirname(process.env.TEST_STACK_ENV as string);
const events = `${natsPrefix()}EVENTS`;
const healWithinMs = 5_000;

let admin: NatsConnection;
let manager: JetStreamManager;
let node: ServiceBroker;
let maker: ServiceBroker;

async function consumersOn(stream: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of manager.consumers.list(stream)) names.push(name);
  return names.sort();
}

const health = async (): Promise<unknown> =>
  (await node.call<HealthReport, object>("notification.health", {})).jetstream;

const isHealthy = () => eventually("it is healthy", async () => (await health()) === true, 20_000);

/** The login of the service alone: an integration test's own would make its streams itself. */
async function useLogin(role: string): Promise<void> {
  const { env } = await ensureNatsLogin(stackDir, { role, namespace: NAMESPACE });
  process.env[serviceUrlName("NATS_URL", role)] = env.NATS_URL;
}

const startMaker = async () => {
  await useLogin("provisioner");
  const broker = await startNode("maker", [provisioner], "provisioner");
  // The other service is to have no such login.
  delete process.env.PROVISIONER_NATS_URL;
  return broker;
};

beforeAll(async () => {
  delete process.env.PROVISIONER_NATS_URL;
  await ensureNatsLogin(stackDir, { role: "notification+provisioner", namespace: NAMESPACE });
  await useLogin("notification");
  admin = await connect(natsOptions("provisioner-test"));
  manager = await admin.jetstreamManager();
});

afterAll(async () => {
  await admin?.close();
  await stopAll();
  await removeNatsLogins(stackDir, NAMESPACE);
});

test("a service waits at its start for a provisioner, and has its streams and consumers once there is one", async () => {
  let isUp = false;
  const asked = jest.spyOn(RemoteProvisioning.prototype, "patiently");
  const starting = startNode("waiting", [notification], "notification").then((broker) => {
    isUp = true;
    return broker;
  });
  // Only a node that has opened its way to a provisioner does not take the login that the other one is given.
  await eventually("it asks for a provisioner", () => asked.mock.calls.length > 0, 30_000);
  expect([isUp, await manager.streams.info(events).catch(() => "missing")]).toEqual([false, "missing"]);
  maker = await startMaker();
  node = await starting;
  expect(await consumersOn(events)).toEqual(["notification-gift-failed", "notification-payment-received"]);
  await isHealthy();
});

test("a stream that is lost is made again within five seconds, with the next of the names that permissions list", async () => {
  await manager.streams.delete(events);
  const names = ["notification-gift-failed~1", "notification-payment-received~1"];
  await eventually(
    "they are made again",
    async () => (await consumersOn(events).catch(() => [])).join() === names.join(),
    healWithinMs,
  );
  await isHealthy();
});

test("a consumer that is lost is made again", async () => {
  await manager.consumers.delete(events, "notification-gift-failed~1");
  await eventually(
    "it is there",
    async () => (await consumersOn(events)).includes("notification-gift-failed~1"),
    healWithinMs,
  );
});

test("nobody has made for it what is not its own", async () => {
  await waitForNode(node, "provisioner", maker.nodeID);
  const seen = { created: "2026-01-01T00:00:00Z" };
  const refused = expect.objectContaining({ type: "callerRefused" });
  const theirs = [{ stream: "PAY" }, { stream: "GIFTS-0" }, { stream: "SAMPLE" }, { stream: "NOTIFICATIONS" }];
  for (const { stream } of theirs)
    await expect(call(node, "provisioner.makeStream", { stream, again: false })).rejects.toEqual(refused);
  const consumer = { stream: "EVENTS", durable: "gift-effects", name: "gift-effects", seen, start: "first" } as const;
  await expect(call(node, "provisioner.makeConsumer", consumer)).rejects.toEqual(refused);
  const other = { ...consumer, durable: "notification-gift-failed", name: "gift-effects" };
  await expect(call(node, "provisioner.makeConsumer", other)).rejects.toEqual(refused);
  const unlisted = { ...other, name: "notification-gift-failed~x" };
  await expect(call(node, "provisioner.makeConsumer", unlisted)).rejects.toEqual(refused);
  await expect(call(node, "provisioner.markLoss", { stream: "GIFTS-0", seen })).rejects.toEqual(refused);
});

test("while a provisioner of a later release is on the bus, a provisioner leaves settings and trimming to that release", async () => {
  const { max_age: wanted } = (await manager.streams.info(events)).config;
  const bound = async () => (await manager.streams.info(events)).config.max_age;
  const laterNode = (role: string) =>
    new ServiceBroker({
      ...brokerOptions({ role, label: "later" }),
      metadata: { release: release + 1 },
      logger: false,
    });
  // A node's release is its own word: that of another service counts for nothing.
  const other = laterNode("wallet");
  await other.start();
  await eventually("the other is heard", () => releaseOf(maker, other.nodeID) === release + 1);
  expect(isOutdated(maker)).toBe(false);
  await other.stop();
  const later = laterNode("provisioner");
  await later.start();
  try {
    await eventually("it is heard", () => isOutdated(maker));
    await manager.streams.update(events, { max_age: wanted / 2 });
    await stopNode(await startMaker());
    expect(await bound()).toBe(wanted / 2);
    // What it does not know may be of that release: the caller asks again, and meets its provisioner in the end.
    const asked = call(node, "provisioner.makeStream", { stream: "LATER", again: false });
    await expect(asked).rejects.toMatchObject({ type: "unavailable" });
  } finally {
    await later.stop();
  }
  await eventually("it has left", () => !isOutdated(maker));
  await stopNode(await startMaker());
  expect(await bound()).toBe(wanted);
});

test("without a provisioner what is there works on, and readiness says what waits for one", async () => {
  await stopNode(maker);
  await eventually("it is gone", () => !node.registry.hasService("provisioner", maker.nodeID));
  await isHealthy();
  await manager.consumers.delete(events, "notification-gift-failed~1");
  let said: unknown;
  await eventually("it says so", async () => {
    said = await health();
    return /cannot be created/.test(String(said));
  });
  expect(said).toMatch(/consumer notification-gift-failed is missing: it cannot be created: .*provisioner/);
  maker = await startMaker();
  await eventually(
    "it is made",
    async () => (await consumersOn(events)).includes("notification-gift-failed~1"),
    healWithinMs,
  );
});
