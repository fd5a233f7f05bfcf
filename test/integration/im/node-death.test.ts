/** im-server nodes in processes of their own that are killed, or stopped for a while, without a word. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import type { ServiceBroker } from "moleculer";
import { WebSocket } from "ws";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import type { ImBusiness, ImClient } from "../../../public/js/im-client.js";
import type { Child } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import type { ImLimits } from "../../../services/im-server/im-node.ts";
import { loadPageModule } from "../../browser/page-module.ts";
import { expectTook, expectWithin } from "../../support/in-time.ts";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  cutClients,
  livingRoomFake,
  named,
  openClient,
  postToRoom,
  seeing,
  startRouter,
  type TestClient,
  ticketOf,
  watchNumbers,
} from "./im-nodes.ts";
import { type ImServerChild, startImServerChild } from "./im-server-child.ts";

const { createImClient } = loadPageModule<typeof import("../../../public/js/im-client.js")>("js/im-client.js");

/** Leases short enough for a test to see them run out. */
const settings: Partial<ImLimits> = {
  presenceLeaseMs: 2_000,
  presenceRefreshMs: 500,
  watchFlushMs: 200,
  heartbeatTimeoutMs: 6_000,
  pingAfterMs: 4_000,
  pongTimeoutMs: 1_000,
};
/** What a client may be sent wrong after its node died: getImConfig names a live one again by then. */
const namedForMs = 600;
/** When the system sends a SYN again that was lost. */
const synAgainMs = 1_000;
/** From the death of a node until all its clients are on another one. */
const backWithinMs = 8_000;

jest.setTimeout(60_000);

const redis = openRedis("test");
const children: Child[] = [];
const crowd: ImClient[] = [];
let router: ServiceBroker;
let staying: ImServerChild;

const startServer = (label: string): Promise<ImServerChild> =>
  startImServerChild(router, label, settings, (child) => children.push(child));

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router", livingRoomFake, restrictionsFake);
  staying = await startServer("im-staying");
});
afterAll(async () => {
  cutClients();
  for (const client of crowd) client.close();
  await stopNodes(9_000);
  redis.disconnect();
  await stopAll();
});

async function stopNodes(deadlineMs: number): Promise<void> {
  for (const { pid } of children) if (pid) signal(pid, "SIGCONT");
  await Promise.all(children.map((child) => child.stop(deadlineMs)));
}

function signal(pid: number, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** How many connections the system lets wait at a port, whatever the listener asks for. */
function queueMax(): number {
  const setting = "/proc/sys/net/core/somaxconn";
  return existsSync(setting) ? Number(readFileSync(setting, "utf8")) : 0;
}

/** A connection to a node, greeted or not yet; it sends heartbeats as clients do. */
async function visit(node: ImServerChild, userId: string, roomId: number): Promise<TestClient> {
  const { token } = await ticketOf(router, userId);
  const client = openClient(`${node.address}?token=${token}&roomId=${roomId}`);
  const beat = setInterval(() => {
    if (client.socket.readyState === WebSocket.OPEN) client.say({ code: 1004 });
  }, 1_000);
  client.socket.on("close", () => clearInterval(beat));
  return client;
}

const placeOf = async (userId: string) => (await call(router, "im-router.whereIs", { userId })).map((at) => at.nodeId);
/** Where a user is. One whose node could not renew its lease in time is nowhere for a moment. */
const foundAt = (userId: string) =>
  eventually(`${userId} is somewhere`, async () => {
    const places = await placeOf(userId);
    return places.length > 0 ? places : undefined;
  });
const pick = async () => (await ticketOf(router, "999")).address;
const say = (roomId: number, msgId: string) =>
  postToRoom(router, { roomId, senderId: "0", msgId, bizCode: 5560, data: {} });
const receivedIds = (client: TestClient) => client.business(5560).map(({ msgId }) => msgId);

/** For so long, and asked often enough to name each node, the router sends nobody to this one. */
async function never(node: ImServerChild, ms: number): Promise<void> {
  const until = Date.now() + ms;
  for (let picks = 0; Date.now() < until || picks < 6; picks++) {
    expect(await pick()).not.toBe(node.address);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test("a node that is killed is not named any more at once, its crowd is back elsewhere within seconds and has all", async () => {
  const dying = await startServer("im-dying");
  await seeing(router, { "im-server": 2 });
  await named(router, [staying.address, dying.address]);
  const received = new Map<string, ImBusiness[]>();
  const places = new Map<string, string>();
  let gaps = 0;
  const clients = Array.from({ length: 40 }, (_, i) => {
    const userId = String(100 + i);
    const client = createImClient({
      WebSocket,
      url: async () => {
        const { address, token } = await ticketOf(router, userId);
        return `${address}?token=${token}&roomId=1`;
      },
    });
    received.set(userId, []);
    client.on("business", (message) => received.get(userId)?.push(message));
    client.on("login", ({ nodeId }) => places.set(userId, nodeId));
    client.on("gap", () => gaps++);
    crowd.push(client);
    client.connect();
    return client;
  });
  await eventually("all online", () => places.size === clients.length);
  const onDying = () => [...places.values()].filter((nodeId) => nodeId === dying.nodeId).length;
  await eventually("more than a quarter are on the node that dies", () => onDying() > 10, 0);
  const talk = Array.from({ length: 30 }, (_, i) => `m${i}`);
  for (const msgId of talk.slice(0, 10)) await say(1, msgId);
  const killedAt = Date.now();
  signal(dying.child.pid as number, "SIGKILL");
  const talked = (async () => {
    for (const msgId of talk.slice(10)) await say(1, msgId);
  })();
  await new Promise((resolve) => setTimeout(resolve, namedForMs));
  await never(dying, 500);
  const back = () => clients.every(({ state }) => state === "online");
  await eventually(
    "all back",
    () => back() && [...places.values()].every((nodeId) => nodeId === staying.nodeId),
    Math.max(0, killedAt + backWithinMs - Date.now()),
  );
  await talked;
  await eventually("all received by all", () => [...received.values()].every(({ length }) => length === talk.length));
  for (const messages of received.values()) expect(messages.map(({ msgId }) => msgId)).toEqual(talk);
  expect(gaps).toBe(0);
  for (const client of clients) client.close();
  await eventually("the room is empty", () => watchNumbers.findLast(({ roomId }) => roomId === 1)?.watchNum === 0);
});

test("who does not come back from a killed node is forgotten with its lease, and not counted any more", async () => {
  const dying = await startServer("im-dying-2");
  await (await visit(dying, "200", 2)).greeted();
  const watched = () => watchNumbers.findLast(({ roomId }) => roomId === 2)?.watchNum;
  await eventually("watched", () => watched() === 1);
  expect(await foundAt("200")).toEqual([dying.nodeId]);
  signal(dying.child.pid as number, "SIGKILL");
  await eventually("forgotten", async () => (await placeOf("200")).length === 0);
  await eventually("not counted", () => watched() === 0);
  expect(await redis.zcard("im:room:2:nodes")).toBe(0);
});

describe("a node that stands still for longer than its leases, and goes on", () => {
  let frozen: ImServerChild;
  let old: Record<"moved" | "moved silently" | "stayed", TestClient>;
  let moved: TestClient[];
  let gaveUp: TestClient;

  beforeAll(async () => {
    frozen = await startServer("im-frozen");
    old = {
      moved: await (await visit(frozen, "301", 3)).greeted(),
      "moved silently": await (await visit(frozen, "302", 3)).greeted(),
      stayed: await (await visit(frozen, "303", 3)).greeted(),
    };
    await named(router, [staying.address, frozen.address]);
    signal(frozen.child.pid as number, "SIGSTOP");
  });

  test("a crowd that comes while it is busy waits in the queue of its port, instead of for its SYNs to be sent again", async () => {
    // More than a listener that asks for no longer queue has room for.
    const crowdSize = 600;
    if (queueMax() < 2 * crowdSize) return;
    const { hostname, port } = new URL(frozen.address);
    const knock = async () => {
      const knocking = Array.from({ length: crowdSize }, () => connectTcp(Number(port), hostname));
      try {
        const begun = performance.now();
        await Promise.all(knocking.map((socket) => once(socket, "connect")));
        return performance.now() - begun;
      } finally {
        for (const socket of knocking) socket.destroy();
      }
    };
    // Each crowd stays in the queue, which must not fill.
    const crowds = Math.min(3, Math.floor(queueMax() / crowdSize) - 1);
    let tookMs = Number.POSITIVE_INFINITY;
    for (let n = 0; n < crowds && tookMs >= synAgainMs; n++) tookMs = await knock();
    expectTook("a crowd is in the queue", synAgainMs, tookMs);
  });

  test("soon nobody is sent there", async () => {
    await new Promise((resolve) => setTimeout(resolve, namedForMs));
    await never(frozen, 1_000);
  });

  test("its users are found where they went, and nowhere where they did not", async () => {
    // One knocked while nobody was there to open, and gave up.
    gaveUp = await visit(frozen, "304", 3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([gaveUp.greeting, gaveUp.closed]).toEqual([undefined, undefined]);
    gaveUp.socket.terminate();
    moved = [];
    for (const userId of ["301", "302", "304"]) moved.push(await (await visit(staying, userId, 3)).greeted());
    old["moved silently"].socket.terminate();
    await eventually("the lease of who stayed runs out", async () => (await placeOf("303")).length === 0);
    await eventually("and the room's on that node", async () => {
      await say(3, "while-frozen");
      return (await redis.zrange("im:room:3:nodes", 0, -1)).join() === staying.nodeId;
    });
    for (const userId of ["301", "302", "304"]) expect(await foundAt(userId)).toEqual([staying.nodeId]);
    for (const client of moved) await eventually("received", () => receivedIds(client).includes("while-frozen"));
  });

  test("when it goes on it takes nobody from where they are, and closes what was replaced", async () => {
    await call(router, "im-router.sendToUser", { userId: "303", msgId: "kept", bizCode: 5561, data: {} });
    // It is paused for long, compared with the time without a heartbeat that it allows its clients.
    await new Promise((resolve) => setTimeout(resolve, (settings.heartbeatTimeoutMs as number) / 2));
    signal(frozen.child.pid as number, "SIGCONT");
    expect((await old.moved.closing()).code).toBe(4409);
    await eventually("who stayed is written again", async () => (await placeOf("303"))[0] === frozen.nodeId);
    await say(3, "afterwards");
    for (const client of moved) await eventually("received", () => receivedIds(client).at(-1) === "afterwards");
    // Several renewals later.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (const userId of ["301", "302", "304"]) expect(await foundAt(userId)).toEqual([staying.nodeId]);
    expect(moved.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);
  });

  test("who stayed with it has everything, in order, and is not closed for a missing heartbeat", async () => {
    const { stayed } = old;
    await eventually("all received", () => receivedIds(stayed).at(-1) === "afterwards");
    expect(receivedIds(stayed)).toEqual(receivedIds(moved[0] as TestClient).slice(-receivedIds(stayed).length));
    expect(receivedIds(stayed)).toContain("while-frozen");
    await eventually("the notification", () => stayed.business(5561).some(({ msgId }) => msgId === "kept"));
    expect(stayed.closed).toBeUndefined();
  });
});

test("nodes that are stopped do not wait for those that have died", async () => {
  cutClients();
  const begun = performance.now();
  await stopNodes(30_000);
  expectWithin("all have stopped", 8_500, begun);
});
