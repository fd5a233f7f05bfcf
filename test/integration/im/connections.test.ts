import { createServer } from "node:net";
import type { ServiceBroker } from "moleculer";
import { noProxies } from "../../../config/trusted-proxies.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import {
  addressOf,
  connect,
  cutClients,
  deadRooms,
  livingRoomFake,
  noHandlers,
  openClient,
  postToRoom,
  seeing,
  startImServer,
  startRouter,
  ticketOf,
  tokenOf,
  watchNumbers,
} from "./im-nodes.ts";

let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router", livingRoomFake);
  a = await startImServer("im-a");
  b = await startImServer("im-b", { presenceRefreshMs: 500, watchFlushMs: 200 });
  await Promise.all([
    seeing(a, { "im-router": 1, "living-room": 1, "im-server": 2 }),
    seeing(b, { "im-router": 1, "living-room": 1, "im-server": 2 }),
    seeing(router, { "im-server": 2 }),
  ]);
});
afterAll(async () => {
  cutClients();
  redis.disconnect();
  await stopAll();
});

const connectionsOf = async (node: ServiceBroker) =>
  (await call(node, "im-server.status", {}, { nodeID: node.nodeID })).connections;
const whereIs = (userId: string) => call(a, "im-router.whereIs", { userId });

describe("who comes in", () => {
  test("a token made on one node works once, on any node", async () => {
    const token = await tokenOf(a, "100");
    const url = `${await addressOf(b)}?token=${token}&roomId=1`;
    const first = await openClient(url).greeted();
    expect(first.greeting).toMatchObject({
      userId: "100",
      nodeId: b.nodeID,
      epoch: expect.stringMatching(/^[0-9a-f]+$/),
    });
    const second = openClient(url);
    expect((await second.closing()).code).toBe(4401);
    expect(second.frames).toEqual([]);
    await first.leave();
  });

  test("a token in parallel lets exactly one connection in", async () => {
    const url = `${await addressOf(a)}?token=${await tokenOf(a, "101")}&roomId=1`;
    const clients = Array.from({ length: 8 }, () => openClient(url));
    await eventually("all decided", () => clients.every(({ greeting, closed }) => greeting ?? closed));
    expect(clients.filter(({ greeting }) => greeting)).toHaveLength(1);
    expect(clients.filter(({ closed }) => closed?.code === 4401)).toHaveLength(7);
  });

  test.each([
    ["no token", "roomId=1"],
    ["a bad token", "token=nonsense&roomId=1"],
    ["nothing", ""],
  ])("%s closes with 4401", async (_what, query) => {
    expect((await openClient(`${await addressOf(a)}?${query}`).closing()).code).toBe(4401);
  });

  test.each([
    ["no room", "", 4422],
    ["a malformed room", "&roomId=1e3", 4422],
    ["a room beyond safe integers", "&roomId=9999999999999999", 4422],
    ["room 0", "&roomId=0", 4422],
    ["a room that is not live", "&roomId=404", 4404],
  ])("%s closes with its code", async (_what, query, code) => {
    deadRooms.add(404);
    const token = await tokenOf(a, "102");
    expect((await openClient(`${await addressOf(a)}?token=${token}${query}`).closing()).code).toBe(code);
  });

  test("a trailing slash is fine, other paths are not WebSockets", async () => {
    const address = await addressOf(a);
    const slashed = openClient(`${address}/?token=${await tokenOf(a, "103")}&roomId=1`);
    await (await slashed.greeted()).leave();
    const other = openClient(`${address.replace("/im", "/other")}?token=${await tokenOf(a, "103")}&roomId=1`);
    expect((await other.closing()).code).toBe(1006);
  });

  test("a port that is taken is passed over for the next free one", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "0.0.0.0", resolve));
    const { port } = blocker.address() as { port: number };
    const { openListener } = await import("../../../services/im-server/listener.ts");
    const listener = await openListener(
      {
        host: "0.0.0.0",
        port,
        closeGraceMs: 100,
        headersTimeoutMs: 5_000,
        connectionsMax: 10,
        allowedOrigins: undefined,
        proxies: noProxies,
      },
      noHandlers,
    );
    expect(listener.port).toBeGreaterThan(port);
    listener.refuse();
    await listener.close(4503, "end");
    await new Promise((resolve) => blocker.close(resolve));
  });
});

describe("one connection a user", () => {
  test("a second connection on another node closes the first with 4409, and the first's late close removes nothing", async () => {
    const before = await connectionsOf(a);
    const first = await connect(a, "200", 2);
    expect(await whereIs("200")).toMatchObject([{ nodeId: a.nodeID, roomId: 2 }]);
    const second = await connect(b, "200", 2);
    expect((await first.closing()).code).toBe(4409);
    await eventually("the node has closed the first", async () => (await connectionsOf(a)) === before);
    expect(await whereIs("200")).toMatchObject([{ nodeId: b.nodeID, roomId: 2 }]);
    await call(a, "im-router.sendToUser", { userId: "200", msgId: "n1", bizCode: 5561, data: { amount: 1 } });
    await eventually("the notification", () => second.business(5561).length === 1);
    expect(second.business(5561)[0]).toEqual({
      msgId: "n1",
      appId: 10001,
      userId: "200",
      bizCode: 5561,
      data: { amount: 1 },
    });
    await second.leave();
    await eventually("nobody", async () => (await whereIs("200")).length === 0);
  });

  test("on the same node the newer one stays", async () => {
    const first = await connect(a, "201", 2);
    const second = await connect(a, "201", 3);
    expect((await first.closing()).code).toBe(4409);
    expect(await whereIs("201")).toMatchObject([{ nodeId: a.nodeID, roomId: 3 }]);
    await second.leave();
  });

  test("a replacement of which the node was not informed is found when the lease is renewed", async () => {
    const client = await connect(b, "202", 2);
    expect(await redis.exists("im:user:202")).toBe(1);
    await redis.hset("im:user:202", "conn", "another", "node", "elsewhere");
    expect((await client.closing()).code).toBe(4409);
    expect(await redis.hget("im:user:202", "conn")).toBe("another");
  });
});

describe("presence", () => {
  test("after Redis was wiped users and rooms are there again within seconds, and get what was sent meanwhile", async () => {
    const client = await connect(a, "300", 7);
    const keys = await redis.keys(`${redis.options.keyPrefix}im:*`);
    await redis.del(keys.map((key) => key.slice((redis.options.keyPrefix as string).length)));
    await postToRoom(router, {
      roomId: 7,
      senderId: "0",
      msgId: "lost",
      bizCode: 5560,
      data: { n: 1 },
    });
    await eventually("presence", async () => (await whereIs("300")).length === 1, 5_000);
    await eventually(
      "the frame sent to nobody",
      () => client.business(5560).some(({ msgId }) => msgId === "lost"),
      5_000,
    );
    await postToRoom(router, {
      roomId: 7,
      senderId: "0",
      msgId: "next",
      bizCode: 5560,
      data: { n: 2 },
    });
    await eventually("the next frame", () => client.business(5560).length === 2);
    expect(client.business(5560).map(({ data }) => data.seq)).toEqual([1, 2]);
    await client.leave();
  });

  test("the watch number of a room is the sum over the nodes, down to 0", async () => {
    const here = [await connect(a, "310", 8), await connect(a, "311", 8)];
    const there = await connect(b, "312", 8);
    const last = () => watchNumbers.findLast(({ roomId }) => roomId === 8)?.watchNum;
    await eventually("3 watchers", () => last() === 3);
    await there.leave();
    await eventually("2 watchers", () => last() === 2);
    for (const client of here) await client.leave();
    await eventually("0 watchers", () => last() === 0);
  });
});

describe("a node that goes away", () => {
  test("closes everybody with 4503, is out of presence, and the others go on", async () => {
    const c = await startImServer("im-c");
    await seeing(c, { "living-room": 1, "im-router": 1 });
    const going = [await connect(c, "400", 9), await connect(c, "401", 9)];
    const staying = await connect(a, "402", 9);
    await stopNode(c);
    for (const client of going) expect((await client.closing()).code).toBe(4503);
    expect(await whereIs("400")).toEqual([]);
    expect(await redis.zrange("im:room:9:nodes", 0, -1)).toEqual([a.nodeID]);
    await postToRoom(router, { roomId: 9, senderId: "0", msgId: "m", bizCode: 5560, data: {} });
    await eventually("still served", () => staying.business(5560).length === 1);
    await staying.leave();
  });

  test("new connections are spread evenly over the nodes that stay", async () => {
    await seeing(router, { "im-server": 2 });
    const addresses = [await addressOf(a), await addressOf(b)];
    // A node that is too busy to answer a ping gets nobody meanwhile.
    await eventually("as many to each", async () => {
      const picks: string[] = [];
      for (let i = 0; i < 20; i++) picks.push((await ticketOf(a, "410")).address);
      const counts = addresses.map((one) => picks.filter((pick) => pick === one).length);
      expect(counts[0]! + counts[1]!).toBe(20);
      return Math.abs(counts[0]! - counts[1]!) <= 4;
    });
  });
});
