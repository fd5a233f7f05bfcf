import { connect as connectTcp } from "node:net";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { noProxies } from "../../../config/trusted-proxies.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { openListener } from "../../../services/im-server/listener.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  addressOf,
  connect,
  cutClients,
  livingRoomFake,
  noHandlers,
  openClient,
  seeing,
  startImServer,
  startRouter,
  tokenOf,
} from "./im-nodes.ts";

process.env.TRUST_PROXY = "1";
process.env.IM_ALLOWED_ORIGINS = "https://live.example.com, https://m.example.com";

const slowRoom = 777;
const unanswered = Promise.withResolvers<null>();
const nodes: Record<"small" | "rated" | "hasty" | "asking" | "wary" | "impatient", ServiceBroker> = {} as never;
const redis = openRedis("test");

/** The living-room service, which does not answer for one room. */
const unansweredForOneRoom = {
  ...livingRoomFake,
  actions: {
    ...livingRoomFake.actions,
    find: (ctx: { params: { roomId: number } }) =>
      ctx.params.roomId === slowRoom ? unanswered.promise : { roomId: ctx.params.roomId, anchorId: "1" },
  },
} as unknown as ServiceSchema;

beforeAll(async () => {
  await redis.connect();
  await startRouter("router", unansweredForOneRoom);
  nodes.small = await startImServer("im-small", { connectionsPerNode: 2 });
  nodes.rated = await startImServer("im-rated", { connectsPerSecond: 0.001, connectsBurst: 3 });
  nodes.hasty = await startImServer("im-hasty", { userConnectsPerMinute: 0.01, userConnectsBurst: 2 });
  nodes.impatient = await startImServer("im-impatient", { loginMs: 1_500 });
  nodes.asking = await startImServer("im-asking", { pingAfterMs: 150, pongTimeoutMs: 700, heartbeatTimeoutMs: 1_500 });
  const bad = { badTokensPerMinute: 0.01, badTokensBurst: 5 };
  nodes.wary = await startImServer("im-wary", { connectsPerSecond: 0.001, connectsBurst: 12, ...bad });
  for (const node of Object.values(nodes)) await seeing(node, { "living-room": 1, "im-server": 6 });
});
afterAll(async () => {
  cutClients();
  redis.disconnect();
  unanswered.resolve(null);
  await stopAll();
});

const urlFor = async (node: ServiceBroker, userId: string, roomId = 1) =>
  `${await addressOf(node)}?token=${await tokenOf(node, userId)}&roomId=${roomId}`;

describe("how many come in", () => {
  test("a node that is full sends more people elsewhere, and takes them again when somebody leaves", async () => {
    const [first] = [await connect(nodes.small, "1", 1), await connect(nodes.small, "2", 1)];
    expect((await openClient(await urlFor(nodes.small, "3")).closing()).code).toBe(4503);
    await first.leave();
    await (await connect(nodes.small, "3", 1)).leave();
  });

  test("faster than the node's rate they are closed with 4503, and no token is used up", async () => {
    for (const userId of ["11", "12", "13"]) await connect(nodes.rated, userId, 1);
    const url = await urlFor(nodes.rated, "14");
    expect((await openClient(url).closing()).code).toBe(4503);
    const elsewhere = url.replace(await addressOf(nodes.rated), await addressOf(nodes.asking));
    await (await openClient(elsewhere).greeted()).leave();
  });

  test("an address that gives bad tokens is closed with 4503 before it costs the node's rate; others come in", async () => {
    const address = await addressOf(nodes.wary);
    const from = (ip: string, token: string) =>
      openClient(`${address}?token=${token}&roomId=1`, { headers: { "X-Forwarded-For": ip } });
    const codes: number[] = [];
    // The addresses of one /64 are one client's.
    for (let n = 0; n < 20; n++) codes.push((await from(`2001:db8::${n + 1}`, "b".repeat(32)).closing()).code);
    expect(codes).toEqual([...Array(5).fill(4401), ...Array(15).fill(4503)]);
    const [counter] = nodes.wary.metrics.list({ includes: "ovation.im.suspected" });
    expect([...(counter?.values.values() ?? [])]).toMatchObject([{ value: 15 }]);
    // A good token of that address is not used up, and is good elsewhere.
    const token = await tokenOf(nodes.wary, "61");
    expect((await from("2001:db8::9", token).closing()).code).toBe(4503);
    await (await from("2001:db8:0:1::9", token).greeted()).leave();
    // 5 bad ones and this one are all that the node's burst of 12 has paid for.
    for (let n = 0; n < 6; n++)
      await (await from(`192.0.2.${n}`, await tokenOf(nodes.wary, `7${n}`)).greeted()).leave();
    expect((await from("192.0.2.9", await tokenOf(nodes.wary, "79")).closing()).code).toBe(4503);
  });

  test("a user who connects again and again is closed with 4503, others are not", async () => {
    for (let i = 0; i < 2; i++) await connect(nodes.hasty, "21", 1);
    const { code, reason } = await openClient(await urlFor(nodes.hasty, "21")).closing();
    expect([code, reason]).toEqual([4503, expect.stringContaining("too many")]);
    await (await connect(nodes.hasty, "22", 1)).leave();
  });
});

describe("who takes too long", () => {
  test("a socket that could not be let in in time is closed to come again, and leaves nothing behind", async () => {
    const { code } = await openClient(await urlFor(nodes.impatient, "31", slowRoom)).closing(6_000);
    expect(code).toBe(4503);
    expect(await redis.exists("im:user:31")).toBe(0);
  });

  test("a TCP connection that sends nothing is cut", async () => {
    const [allowedOrigins, proxies] = [undefined, noProxies];
    const options = { host: "127.0.0.1", port: 0, closeGraceMs: 100, connectionsMax: 10, allowedOrigins, proxies };
    const listener = await openListener({ ...options, headersTimeoutMs: 200 }, noHandlers);
    const socket = connectTcp(listener.port, "127.0.0.1");
    let over = false;
    socket.on("close", () => {
      over = true;
    });
    socket.resume();
    await eventually("the end", () => over, 3_000);
    listener.refuse();
    await listener.close(4503, "end");
  });
});

describe("liveness", () => {
  test("a line on which a ping is not answered is closed long before the heartbeat times out", async () => {
    const client = openClient(await urlFor(nodes.asking, "41"), { autoPong: false });
    expect(await (await client.greeted()).closing()).toEqual({ code: 4504, reason: "no answer to a ping" });
  });

  test("one that answers pings is still closed where the client itself sends nothing", async () => {
    let pings = 0;
    const client = await connect(nodes.asking, "42", 1);
    client.socket.on("ping", () => pings++);
    expect(await client.closing()).toEqual({ code: 4504, reason: "no heartbeat for too long" });
    expect(pings).toBeGreaterThan(2);
  });

  test("one whose client sends heartbeats is not pinged", async () => {
    let pings = 0;
    const client = await connect(nodes.asking, "43", 1);
    client.socket.on("ping", () => pings++);
    let answers = 0;
    let longestPause = 0;
    let sentAt = Date.now();
    await eventually("2 s of heartbeats", async () => {
      longestPause = Math.max(longestPause, Date.now() - sentAt);
      sentAt = Date.now();
      client.say({ code: 1004 });
      await new Promise((resolve) => setTimeout(resolve, 30));
      answers = client.frames.filter(({ code }) => code === 1004).length;
      return answers > 40;
    });
    // Where this test itself was held up for that long, asking is right.
    if (longestPause < 100) expect(pings).toBe(0);
    expect(client.closed).toBeUndefined();
    await client.leave();
  });
});

describe("where a page is from", () => {
  test.each(["https://live.example.com", "https://m.example.com", undefined])("%s may connect", async (origin) => {
    const client = openClient(await urlFor(nodes.asking, "51"), origin ? { origin } : {});
    await (await client.greeted()).leave();
  });

  test.each(["https://evil.example.com", "http://live.example.com", "https://live.example.com:8443", "null"])(
    "%s may not, and its token is not used up",
    async (origin) => {
      const url = await urlFor(nodes.asking, "52");
      expect((await openClient(url, { origin }).closing()).code).toBe(4403);
      await (await openClient(url).greeted()).leave();
    },
  );
});
