/** A node that is stopped while it has many connections. */
import { randomBytes } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import type { ServiceBroker } from "moleculer";
import { expectTook } from "../../support/in-time.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import {
  addressOf,
  cutClients,
  livingRoomFake,
  openClient,
  seeing,
  startImServer,
  startRouter,
  type TestClient,
  ticketOf,
  tokenOf,
} from "./im-nodes.ts";

const drainMs = 3_000;
const drainPortion = 10;
const closeGraceMs = 300;
const crowd = 100;
/** What a busy machine may add. */
const busyMs = 6_000;
const roomId = 1;

let router: ServiceBroker;
let staying: ServiceBroker;
let going: ServiceBroker;

beforeAll(async () => {
  router = await startRouter("router", livingRoomFake);
  staying = await startImServer("im-staying");
  going = await startImServer("im-going", { drainMs, drainPortion, closeGraceMs });
  for (const node of [staying, going]) await seeing(node, { "im-router": 1, "living-room": 1, "im-server": 2 });
  await seeing(router, { "im-server": 2 });
});
afterAll(async () => {
  cutClients();
  await stopAll();
});

const urlFor = async (node: ServiceBroker, userId: string) =>
  `${await addressOf(node)}?token=${await tokenOf(node, userId)}&roomId=${roomId}`;

/** One that answers nothing: neither pings nor the closing handshake. */
async function openDeaf(url: string): Promise<Socket> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  const key = randomBytes(16).toString("base64");
  const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: im\r\n${upgrade}\r\n\r\n`);
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  await eventually("greeted", () => received.includes('"code":1001'));
  return socket;
}

test("it closes its connections in portions with 4503, within its time, and nobody is sent to it or let in meanwhile", async () => {
  const urls = await Promise.all(Array.from({ length: crowd }, (_, i) => urlFor(going, String(100 + i))));
  const clients: TestClient[] = urls.map((url) => openClient(url));
  const deaf = await openDeaf(await urlFor(going, "99"));
  let deafCutAt = 0;
  deaf.on("close", () => {
    deafCutAt = Date.now();
  });
  for (const client of clients) await client.greeted();
  const late = await urlFor(going, "98");
  const there = await addressOf(staying);

  const startedAt = Date.now();
  const closedAt = clients.map(() => 0);
  for (const [i, client] of clients.entries())
    client.socket.on("close", () => {
      closedAt[i] = Date.now() - startedAt;
    });
  const stopped = stopNode(going);
  await eventually("the first are gone", () => closedAt.some((at) => at > 0));
  expect((await openClient(late).closing()).code).toBe(1006);
  for (let i = 0; i < 10; i++) expect((await ticketOf(staying, "97")).address).toBe(there);
  await eventually("others are still there", () => closedAt.some((at) => at === 0), 0);
  await stopped;
  const tookMs = Date.now() - startedAt;
  await eventually("the deaf one is cut", () => deafCutAt > 0);

  for (const client of clients) expect(await client.closing()).toMatchObject({ code: 4503 });
  const times = closedAt.toSorted((a, b) => a - b);
  const last = times.at(-1) as number;
  // Ten portions and one, an eleventh of the time apart.
  // A machine that stands still meanwhile brings them together.
  const span = last - (times[0] as number);
  await eventually(`a spread of more than half the time, not of ${span} ms`, () => span > drainMs * 0.5, 0);
  const near = (at: number) => times.filter((other) => other >= at && other < at + drainMs / 10).length;
  const nearest = Math.max(...times.map(near));
  await eventually(`less than half in a tenth of the time, not ${nearest}`, () => nearest < crowd / 2, 0);
  expectTook("the last close", drainMs + busyMs, last);
  expectTook("the end of the deaf one", drainMs + closeGraceMs + busyMs, deafCutAt - startedAt);
  expectTook("the stop", drainMs + closeGraceMs + busyMs, tookMs);
});
