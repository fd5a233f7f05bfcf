/** The published client (public/js/im-client.js) on real servers. */
import type { ServiceBroker } from "moleculer";
import { connect as connectNats, type NatsConnection } from "nats";
import { WebSocket } from "ws";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import type { ImBusiness, ImClient } from "../../../public/js/im-client.js";
import { call } from "../../../services/contracts.ts";
import { loadPageModule } from "../../browser/page-module.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import {
  addressOf,
  livingRoomFake,
  named,
  postToRoom,
  seeing,
  startImServer,
  startRouter,
  ticketOf,
} from "./im-nodes.ts";

const { createImClient } = loadPageModule<typeof import("../../../public/js/im-client.js")>("js/im-client.js");

let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
let nats: NatsConnection;
const redis = openRedis("test");
const clients: ImClient[] = [];

beforeAll(async () => {
  await redis.connect();
  nats = await connectNats(natsOptions("test"));
  router = await startRouter("router", livingRoomFake);
  a = await startImServer("im-a", { notificationResendMs: 300 });
  b = await startImServer("im-b", { notificationResendMs: 300 });
  for (const node of [a, b]) await seeing(node, { "im-router": 1, "living-room": 1, "im-server": 2 });
  await seeing(router, { "im-server": 2 });
});
afterAll(async () => {
  for (const client of clients) client.close();
  redis.disconnect();
  await nats.close();
  await stopAll();
});

/** A client as the page makes one: each connection asks for a token and for an address that is alive. */
function openClient(userId: string, roomId: number) {
  const received: ImBusiness[] = [];
  const nodes: string[] = [];
  const states: string[] = [];
  let gaps = 0;
  const client = createImClient({
    WebSocket,
    backoffBaseMs: 100,
    url: async () => {
      const { address, token } = await ticketOf(router, userId);
      return `${address}?token=${token}&roomId=${roomId}`;
    },
  });
  client.on("business", (message) => received.push(message));
  client.on("login", ({ nodeId }) => nodes.push(nodeId));
  client.on("state", ({ state }) => states.push(state));
  client.on("gap", () => gaps++);
  clients.push(client);
  client.connect();
  const online = () => eventually("online", () => client.state === "online");
  return { client, received, nodes, states, gaps: () => gaps, online };
}

const say = (msgId: string, roomId: number) =>
  postToRoom(router, { roomId, senderId: "0", msgId, bizCode: 5560, data: {} });

test("when its node goes away it comes back on another, and has every message, once and in order", async () => {
  const c = await startImServer("im-c");
  await seeing(c, { "im-router": 1, "living-room": 1 });
  await seeing(router, { "im-server": 3 });
  await named(router, await Promise.all([a, b, c].map(addressOf)));
  const crowd = Array.from({ length: 12 }, (_, i) => openClient(String(100 + i), 1));
  for (const { online } of crowd) await online();
  const onC = crowd.filter(({ nodes }) => nodes[0] === c.nodeID);
  await eventually("some are on the node that goes away", () => onC.length > 0, 0);
  const msgIds: string[] = [];
  let gone = false;
  const talk = (async () => {
    for (let i = 0; !gone || i < 5; i++) {
      msgIds.push(`m${i}`);
      await say(`m${i}`, 1);
    }
  })();
  await stopNode(c);
  for (const { nodes } of onC) await eventually("back", () => nodes.length === 2);
  gone = true;
  await talk;
  for (const { received, gaps, nodes } of crowd) {
    await eventually("everything", () => received.length >= msgIds.length);
    expect(received.map(({ msgId }) => msgId)).toEqual(msgIds);
    expect([gaps(), nodes.slice(1).includes(c.nodeID)]).toEqual([0, false]);
  }
});

test("shows a notification once and acks it, whether it is connected or comes later", async () => {
  const notification = (orderId: string) => ({
    userId: "200",
    msgId: `paid:${orderId}`,
    bizCode: 5561,
    data: { orderId },
  });
  await call(router, "im-router.sendToUser", notification("early"));
  const { client, received, online } = openClient("200", 2);
  await online();
  await call(router, "im-router.sendToUser", notification("later"));
  await eventually("both", () => received.length === 2);
  await eventually("its acks are taken", async () => (await kept("200")) === 0);
  client.close();
  const again = openClient("200", 2);
  await again.online();
  await call(router, "im-router.sendToUser", notification("last"));
  await eventually("the last one", () => again.received.length > 0);
  expect([received, again.received].map((all) => all.map(({ data }) => data.orderId))).toEqual([
    ["early", "later"],
    ["last"],
  ]);
});

/** How many notifications of a user are stored. */
async function kept(userId: string): Promise<number> {
  const subject = `${natsPrefix()}notification.${userId}`;
  const manager = await nats.jetstreamManager();
  const { state } = await manager.streams.info(`${natsPrefix()}NOTIFICATIONS`, { subjects_filter: subject });
  return state.subjects?.[subject] ?? 0;
}

test("chats, and gets its own message", async () => {
  const { client, received, online } = openClient("300", 3);
  await online();
  expect(client.send(5555, { content: "hello" })).toBe(true);
  await eventually("the echo", () => received.length === 1);
  expect(received[0]).toMatchObject({ bizCode: 5555, data: { content: "hello", senderId: "300" } });
});

test("a room's history is its newest frames, bounded in bytes", async () => {
  const text = "礼".repeat(30_000);
  const say = (n: number) =>
    postToRoom(router, {
      roomId: 5,
      senderId: "0",
      msgId: `long-${n}`,
      bizCode: 5560,
      data: { n, text },
    });
  await Promise.all(Array.from({ length: 60 }, (_, n) => say(n)));
  const log = await redis.zrange("im:room:5:frames", 0, -1);
  const bytes = log.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);
  expect(bytes).toBeLessThanOrEqual(limits.im.roomHistoryBytes);
  expect(bytes).toBeGreaterThan(limits.im.roomHistoryBytes - limits.im.roomFrameBytes);
  expect(Number(await redis.hget("im:room:5", "bytes"))).toBe(bytes);
  const seqs = log.map((frame) => Number(JSON.parse(frame).body.data.seq));
  expect(seqs).toEqual(Array.from({ length: log.length }, (_, n) => 60 - log.length + n + 1));
});

test("emits a gap where its room's history is gone", async () => {
  const { client, gaps, online, nodes } = openClient("400", 4);
  await online();
  await say("m1", 4);
  const node = [a, b].find(({ nodeID }) => nodeID === nodes[0]) as ServiceBroker;
  await redis.del("im:room:4", "im:room:4:frames");
  const connectionIds = [await connectionOf("400")];
  await call(router, "im-server.replace", { connectionIds }, { nodeID: node.nodeID });
  await eventually("stopped, as replaced", () => client.state === "stopped");
  client.connect();
  await eventually("online again", () => nodes.length === 2);
  expect(gaps()).toBe(1);
});

async function connectionOf(userId: string): Promise<string> {
  return (await redis.hget(`im:user:${userId}`, "conn")) ?? "";
}
