import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import type { ServiceName } from "../../broker/service-names.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { isAtLeast } from "../../mixins/preflight/checks.ts";
import type { SystemHealth } from "../../mixins/system-health.ts";
import { EndedBeforeReady } from "../../scripts/children.ts";
import { readStackEnv } from "../../scripts/stack/env-file.ts";
import { rows } from "../support/books.ts";
import { Person } from "../support/client.ts";
import { crowd } from "../support/crowd.ts";
import { eventually } from "../support/eventually.ts";
import { settledOrders } from "../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";
import { Balancer } from "./balancer.ts";
import { earlierCommit, servicesAt, unpack } from "./earlier-commit.ts";
import { SteadyGifts } from "./gifts.ts";
import {
  dropLogins,
  giveRights,
  migrate,
  placesOf,
  type Release,
  rolesOf,
  stopEverything,
  UpgradedNode,
} from "./nodes.ts";

/**
 * A system of an earlier commit becomes one of this commit, node by node, while gifts are sent: the steps of
 * docs/releasing.md. UPGRADE_REF names the commit.
 */

const senders = 40;
const perSecond = 200;
/** How long gifts are sent before the first and after the last change, ms. */
const quietMs = 2_000;
const settleMs = 60_000;
const heardMs = 500;
/** Less than CALL_TIMEOUT_MS of the nodes. */
const slowestMs = 20_000;

const choice = earlierCommit();
const upgrades = "commit" in choice ? test : test.skip;
const from = "commit" in choice ? choice.commit.slice(0, 8) : `(skipped: ${choice.none})`;

const stackDir = process.env.STACK_DIR as string;
const parent = join(stackDir, "upgrade");
const balancer = new Balancer();
const running: UpgradedNode[] = [];

/** What the nodes of both releases get. Servers and logins are those that the node makes in the stack's folder. */
const env = {
  ...{ MYSQL_URL: undefined, REDIS_URL: undefined, NATS_URL: undefined },
  // Where payers are sent: one of the first gateways has this port.
  API_URL: `http://127.0.0.1:${process.env.API_PORT}`,
  ...{ API_PORT_SEARCH: "true", ADMIN_PORT_SEARCH: "true", HTTP_DRAIN_MS: "3000" },
  // On a busy machine a node may stand still for seconds: then gifts take long, and are not refused for that.
  ...{ LOG_LEVEL: "warn", CALL_TIMEOUT_MS: "30000" },
};

function release(name: string, folder: string): Release {
  const logs = join(parent, `logs-${name}`);
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  // Releases without a number do not draw their connections down.
  return { name, folder, logs, env, drains: existsSync(join(folder, "config/release.ts")) };
}

/**
 * Whether the private server keeps all services at JetStream while it reads its configuration. Of one that does not, and
 * of nodes that do not repeat what is lost there, some gifts would be refused.
 */
async function reloadsSafely(): Promise<boolean> {
  const connection = await connect(natsOptions("upgrade-test", readStackEnv(stackDir).NATS_ADMIN_URL));
  const version = connection.info?.version ?? "";
  await connection.close();
  return isAtLeast(version, limits.preflight.natsWithSafeReload) === true;
}

/** Starts a node, again where it ends by itself, as a container runtime does; adds its gateway to the balancer. */
async function enter(one: Release, services: readonly string[], number: number, tries = 3): Promise<UpgradedNode> {
  const node = await UpgradedNode.start(one, services, number).catch((error: unknown) => {
    if (!(error instanceof EndedBeforeReady) || tries === 1) throw error;
    return undefined;
  });
  if (!node) return enter(one, services, number, tries - 1);
  running.push(node);
  if (node.port !== undefined) await balancer.add(node.port);
  return node;
}

async function leave(node: UpgradedNode, drains: boolean): Promise<void> {
  running.splice(running.indexOf(node), 1);
  if (node.port !== undefined && !drains) await balancer.takeOut(node.port);
  await node.stop();
  if (node.port !== undefined) balancer.remove(node.port);
}

/**
 * Until every gateway that can see the node shows it ready, and the others, which hear of it at the same time, have had a
 * moment. Releases without a number do not see a node with actions or broadcasts that they do not know.
 */
async function seen({ nodeId, label, services, release }: UpgradedNode): Promise<void> {
  const gateways = running.filter((node) => node.release === release || node.release.drains);
  const ports = gateways.flatMap(({ port }) => port ?? []);
  const isSeen = (health: SystemHealth) => services.every((name) => health[name as ServiceName]?.nodes[nodeId]?.ready);
  await eventually(`${label} is ready`, async () => (await balancer.health(ports)).every(isSeen), 30_000);
  await pause(heardMs);
}

/** Of each place a node, those of the same services one after the other. */
async function startAll(one: Release, places: readonly string[][]): Promise<UpgradedNode[]> {
  const [first, ...others] = places as [string[], ...string[][]];
  const nodes = [await enter(one, first, 0)];
  for (let at = 0; at < others.length; at += 5)
    nodes.push(...(await Promise.all(others.slice(at, at + 5).map((services, n) => enter(one, services, at + n + 1)))));
  return nodes;
}

/** Of each service that has two nodes, the second one. */
const seconds = (nodes: readonly UpgradedNode[]) =>
  nodes.filter(({ services: [name] }, at) => nodes.findIndex(({ services: [first] }) => first === name) < at);

afterAll(async () => {
  balancer.close();
  await stopEverything();
});

// Well under two minutes on two free cores.
jest.setTimeout(600_000);

upgrades(
  `a system of ${from} becomes this one, node by node, while gifts are sent: none is refused, lost or doubled`,
  async () => {
    const { commit } = choice as { commit: string };
    const told: string[] = [];
    const old = release("old", unpack(commit, parent));
    const before = servicesAt(old.folder);
    const oldPlaces = placesOf(before);
    dropLogins(stackDir, before);
    await giveRights(old, rolesOf(oldPlaces));
    const oldNodes = await startAll(old, oldPlaces);
    const [gateway] = oldNodes.filter(({ port }) => port !== undefined);
    process.env.API_URL = `http://127.0.0.1:${gateway?.port}`;

    const [anchor, people] = await Promise.all([Person.login(), crowd(senders)]);
    const roomId = await anchor.openRoom("the upgraded room");
    const viewer = await people[0]?.enter(roomId);
    const gifts = new SteadyGifts(balancer, people, { roomId, receiverId: anchor.userId });
    const tell = (what: string) => told.push(`${gifts.seconds} s: ${what}`);
    const fresh = release("new", projectRoot());
    const places = placesOf(servicesAt(projectRoot()), before);
    const rights = async () => {
      await giveRights(fresh, rolesOf(places));
      tell("nats-server has the rights of this release");
    };
    const safe = await reloadsSafely();
    if (!safe) await rights();
    const sending = gifts.run(perSecond, 2 * senders);
    try {
      await pause(quietMs);
      if (safe) await rights();
      await migrate(fresh);
      tell("the databases are migrated");
      // Callers of releases without a number do not ask another node: they go before those whom they call.
      const rolled = old.drains ? [...oldPlaces.keys()] : [...oldPlaces.keys()].reverse();
      const order = [...rolled, ...[...places.keys()].slice(oldPlaces.length)];
      const entering = (number: number | undefined) =>
        number === undefined ? undefined : enter(fresh, places[number] as string[], number);
      let next = entering(order[0]);
      for (const [at, number] of order.entries()) {
        const joined = (await next) as UpgradedNode;
        await seen(joined);
        tell(`${joined.label} has joined`);
        next = entering(order[at + 1]);
        // Whoever awaits it still gets a rejection.
        next?.catch(() => undefined);
        const former = oldNodes[number];
        if (!former) continue;
        tell(`${former.label} is told to leave`);
        await leave(former, old.drains);
        tell(`${former.label} has left`);
      }
      // Where the nodes that ended did not have this release's manner of leaving, some of its own leave too.
      for (const node of old.drains ? [] : seconds(running)) {
        await leave(node, true);
        tell(`${node.label} has left`);
      }
      await pause(quietMs);
    } finally {
      gifts.stop();
      await sending;
      tell(`${gifts.orderIds.length} gifts were accepted, the slowest answer took ${Math.round(gifts.slowestMs)} ms`);
      console.log([...told, ...gifts.shown()].join("\n"));
    }
    expect(gifts.shown()).toEqual([]);
    // No answer waited for the time-out of a call to a node that had gone.
    expect(gifts.slowestMs).toBeLessThan(slowestMs);
    expect(gifts.orderIds.length).toBeGreaterThan(perSecond * 10);
    // Counted first: the orders are too many to be looked up again and again.
    await eventually(
      "as many gifts settled as were accepted",
      async () => {
        const [found] = await rows<{ count: number }>("gift", "SELECT COUNT(*) AS count FROM t_gift_record");
        return Number(found?.count) >= gifts.orderIds.length;
      },
      settleMs,
    );
    const outcomes = await settledOrders(gifts.orderIds, settleMs);
    expect(outcomes.filter(({ status }) => status !== "succeeded")).toEqual([]);
    for (const person of people) person.leave();
    expect(viewer).toBeDefined();
    await expectWholeBooksBalanced();
  },
);
