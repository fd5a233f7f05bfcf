/** Watch numbers and absent anchors after im-servers, router and living-room nodes were killed. */
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { connect, cutClients, openClient, seeing, tokenOf } from "../im/im-nodes.ts";
import { quick, startRooms, startRouter, startServer } from "./monitor-nodes.ts";

jest.setTimeout(60_000);

const children: Child[] = [];
const redis = openRedis("test");
let database: Database;
let router: ServiceBroker;

beforeAll(async () => {
  await redis.connect();
  router = await startRouter("router");
});
afterEach(() => Promise.all(children.splice(0).map((child) => child.stop(9_000))));
afterAll(async () => {
  cutClients();
  await database?.close();
  redis.disconnect();
  await stopAll();
});

/** Starts a node in a separate process; resolves to its id. */
async function startProcess(label: string, service: string, settings: object, clockWrongMs = 0) {
  const child = startChild({
    name: label,
    command: process.execPath,
    args: [
      join(projectRoot(), "test/support/service-process.ts"),
      ...[service, JSON.stringify(settings), String(clockWrongMs)],
    ],
    cwd: projectRoot(),
    env: { NODE_LABEL: label, NODE_OPTIONS: undefined, ROOM_ANCHOR_AWAY_MINUTES: "0.02" },
    output: { prefix: `${label}|` },
    ready: /^ready (\{.*\})$/,
  });
  children.push(child);
  const { nodeId } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
  return { child, nodeId };
}
async function kill({ pid, exited }: Child): Promise<void> {
  process.kill(pid as number, "SIGKILL");
  await exited;
}
async function openRoom(userId: string): Promise<number> {
  return (await call(router, "living-room.start", { userId, type: 1 })).roomId;
}
async function numberOf(roomId: number): Promise<number | undefined> {
  const sql = "SELECT watch_num AS number FROM t_living_room WHERE id = ?";
  return (await database.query<{ number: number }>(sql, [roomId]))[0]?.number;
}
const shows = (roomId: number, watching: number | undefined) =>
  eventually(`the room shows ${watching}`, async () => (await numberOf(roomId)) === watching, 20_000);

test("after all nodes are killed and restarted, numbers are right and rooms of absent anchors are closed in time", async () => {
  const settings = { checkEveryMs: 100, leaseMs: 1_500 };
  // Their clocks differ by more than an hour.
  const [rooms, server] = await Promise.all([
    startProcess("rooms", "living-room", settings, 3_600_000),
    startProcess("im", "im-server", quick),
  ]);
  database = new Database(databaseName("living-room"));
  await seeing(router, { "living-room": 1, "im-server": 1 });
  const [ghost, staying, never] = [await openRoom("71"), await openRoom("72"), await openRoom("73")];
  await eventually("the im-server knows who is banned", async () => {
    const health = await router.call<Record<string, unknown>, object>(
      "im-server.health",
      {},
      { nodeID: server.nodeId },
    );
    return health.restrictions === true;
  });
  const { address } = await call(router, "im-server.status", {}, { nodeID: server.nodeId });
  for (const [userId, roomId] of [
    ["71", ghost],
    ["72", staying],
    ["81", ghost],
    ["82", never],
    ["83", never],
  ] as const)
    await openClient(`${address}?token=${await tokenOf(router, userId)}&roomId=${roomId}`).greeted();
  await shows(ghost, 2);
  await shows(never, 2);
  await Promise.all([kill(server.child), kill(rooms.child), stopNode(router)]);
  expect(await redis.hget(`im:room:${never}:watch`, server.nodeId)).toBe("2");

  const again = startProcess("rooms-again", "living-room", settings, -3_600_000);
  router = await startRouter("router-again");
  const other = await startServer("im-again");
  await seeing(other, { "living-room": 1, "im-router": 1 });
  await connect(other, "72", staying);
  await shows(never, 0);
  await shows(staying, 1);
  await eventually(
    "the room of the anchor who did not come back is closed",
    async () => (await numberOf(ghost)) === undefined,
  );
  expect([await numberOf(staying), await numberOf(never)]).toEqual([1, 0]);
  const [closed] = await database.query<{ late: string }>(
    "SELECT ABS(TIMESTAMPDIFF(SECOND, end_time, UTC_TIMESTAMP(3))) AS late FROM t_living_room_record WHERE id = ?",
    [ghost],
  );
  expect(Number(closed?.late)).toBeLessThan(60);
  await again;
});

/** Resolves once as many checks have begun, whether or not they succeed. */
async function afterChecks(count: number): Promise<void> {
  const untilOf = async () => {
    const sql = "SELECT until_time AS until FROM t_lease WHERE name = 'room-monitor'";
    return (await database.query<{ until: Date }>(sql))[0]?.until.getTime();
  };
  for (let check = 0; check < count; check++) {
    const last = await untilOf();
    await eventually("another check", async () => (await untilOf()) !== last);
  }
}

test("members that a dead node left in a room are not counted", async () => {
  const rooms = await startRooms("rooms-here");
  const node = await startServer("im-here");
  await seeing(node, { "living-room": 1, "im-router": 1 });
  await seeing(rooms, { "im-router": 1 });
  await seeing(router, { "living-room": 1 });
  const roomId = await openRoom("91");
  await connect(node, "92", roomId);
  await shows(roomId, 1);
  await redis.zadd(`im:room:${roomId}:nodes`, Date.now() + 60_000, "a-dead-node");
  await redis.hset(`im:room:${roomId}:watch`, "a-dead-node", 5);
  const holds = async (nodeId: string) => (await redis.zscore(`im:room:${roomId}:nodes`, nodeId)) !== null;
  await eventually("it is taken out", async () => !(await holds("a-dead-node")));
  expect(await holds(node.nodeID)).toBe(true);
  // The node that is alive reports the number again, from Redis.
  await connect(node, "93", roomId);
  await shows(roomId, 2);
});

test("a watch number without members is corrected, but not while Redis is away", async () => {
  const roomId = await openRoom("94");
  const { redis: connection } = router.getLocalService("im-router") as unknown as RedisState;
  // The client does not clear this timer of commands it refuses.
  connection.options.commandTimeout = undefined;
  connection.disconnect();
  await afterChecks(2);
  await database.run("UPDATE t_living_room SET watch_num = 7 WHERE id = ?", [roomId]);
  await afterChecks(3);
  expect(await numberOf(roomId)).toBe(7);
  await connection.connect();
  connection.options.commandTimeout = limits.redis.commandTimeoutMs;
  await shows(roomId, 0);
});
