import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import { rows } from "../../support/books.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { fast, logged, Receiver, startWebhooks, World } from "./receivers.ts";

process.env.WEBHOOK_PRIVATE_ADDRESSES = "allow";
jest.setTimeout(120_000);

const world = new World();
let receiver: Receiver;
let caller: ServiceBroker;
let mysql: CuttableServer;
let nats: CuttableServer;

beforeAll(async () => {
  receiver = await Receiver.open();
  mysql = await cuttable(process.env.MYSQL_URL as string);
  nats = await cuttable(process.env.NATS_URL as string);
  caller = await startNode("neighbours", world.schemas());
});
afterAll(async () => {
  await receiver.close();
  await stopAll();
  await mysql.close();
  await nats.close();
});

async function startProcess(urls: Record<string, string> = {}): Promise<{ child: Child; nodeId: string }> {
  const child = startChild({
    name: "webhook",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "webhook", JSON.stringify(fast)],
    cwd: projectRoot(),
    env: { NODE_LABEL: "webhook-process", ...urls },
    output: { prefix: "webhook|" },
    ready: /^ready (\{.*\})$/,
  });
  const { nodeId } = JSON.parse((await child.ready)?.[1] as string) as { nodeId: string };
  return { child, nodeId };
}

const holdersOf = () =>
  rows<{ id: string; holder: string }>(
    "webhook",
    "SELECT webhook_id AS id, holder FROM t_webhook_lease WHERE until_time > UTC_TIMESTAMP(3)",
  );
const closed = (roomId: number) => world.publish("room.closed", { roomId, anchorId: "12", time: "t" });

async function subscribed(path: string): Promise<string> {
  const made = await call(caller, "webhook.create", { url: receiver.url(path), events: ["room.closed"] });
  return made.webhookId;
}

test("when a node is killed with calls under way the other makes them again with the same ids, and nothing is lost", async () => {
  const dying = await startProcess();
  await caller.waitForServices("webhook");
  const survivor = await startWebhooks("webhook-survivor");
  // Ids of nodes are random, and so is whose each is: of so many no node has all.
  const paths = Array.from({ length: 20 }, (_, n) => `/kill-${n}`);
  const ids = new Map<string, string>();
  for (const path of paths) ids.set(await subscribed(path), path);
  const ofDying = async () => (await holdersOf()).filter(({ holder }) => holder === dying.nodeId).map(({ id }) => id);
  await eventually("each node has some", async () => {
    const own = await ofDying();
    return own.length > 0 && (await holdersOf()).length === paths.length && own.length < paths.length;
  });
  const [victim = ""] = await ofDying();
  const path = ids.get(victim) as string;
  // Its receiver has the calls, and their outcomes are not known when the node dies.
  receiver.answers.set(path, "hang");
  for (let n = 1; n <= 12; n++) await closed(n);
  await eventually("calls are under way", () => receiver.at(path).length > 0);
  process.kill(dying.child.pid as number, "SIGKILL");
  await dying.child.exited;
  receiver.answers.delete(path);
  const { nodeID } = survivor;
  for (const [webhookId] of ids)
    await eventually(
      "all are made",
      async () => {
        const list = (
          await call(caller, "webhook.deliveries", { webhookId, status: "succeeded", limit: 50 }, { nodeID })
        ).list;
        return list.length === 12;
      },
      60_000,
    );
  for (const one of paths) {
    const received = receiver.at(one);
    expect(new Set(received.map(({ id }) => id)).size).toBe(12);
    expect(new Set(received.map(({ body }) => `${body.id} ${JSON.stringify(body.data)}`)).size).toBe(12);
  }
  expect((await holdersOf()).every(({ holder }) => holder === survivor.nodeID)).toBe(true);
  await stopNode(survivor);
});

test("after an outage of the database or of NATS the calls go on by themselves, and readiness says what is away", async () => {
  const { child, nodeId } = await startProcess({ MYSQL_URL: mysql.url, NATS_URL: nats.url });
  try {
    await eventually("its health is known", () => caller.registry.hasService("webhook", nodeId));
    const health = () =>
      caller.call("webhook.health", {}, { nodeID: nodeId, timeout: 5_000 }) as Promise<Record<string, unknown>>;
    await eventually("it is ready", async () => (await health()).mysql === true);
    const webhookId = await subscribed("/outage");
    await closed(100);
    await logged(caller, webhookId, "a success", ([one]) => one?.status === "succeeded");
    mysql.cut();
    await eventually("it says that the database is away", async () => typeof (await health()).mysql === "string");
    await closed(101);
    mysql.mend();
    await eventually("it is ready again", async () => (await health()).mysql === true, 30_000);
    await eventually(
      "the event is posted",
      () => receiver.at("/outage").some(({ body }) => body.data.roomId === 101),
      30_000,
    );
    nats.cut();
    await closed(102);
    nats.mend();
    await eventually(
      "the event is posted",
      () => receiver.at("/outage").some(({ body }) => body.data.roomId === 102),
      60_000,
    );
    await eventually("it is known again", () => caller.registry.hasService("webhook", nodeId), 60_000);
    await eventually(
      "it is ready again",
      async () => (await health()).jetstream === true && (await health()).nats === true,
      30_000,
    );
    const list = await logged(
      caller,
      webhookId,
      "three successes",
      (all) => all.filter((d) => d.status === "succeeded").length === 3,
    );
    expect(list.map(({ tries }) => tries)).toEqual([1, 1, 1]);
  } finally {
    await child.stop(10_000);
  }
});
