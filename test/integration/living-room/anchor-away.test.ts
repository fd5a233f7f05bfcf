/** A room whose anchor's connection is gone is closed as she would close it, whatever dies meanwhile. */
import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { closeCodes } from "../../../services/im-frames.ts";
import { closeDesertedRoom } from "../../../services/living-room/broadcasting.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { addressOf, connect, cutClients, openClient, seeing, tokenOf } from "../im/im-nodes.ts";
import { awayMs, quick, slow, startRooms, startRouter, startServer } from "./look-nodes.ts";

let caller: ServiceBroker;
let rooms: [ServiceBroker, ServiceBroker];
let server: ServiceBroker;
let database: Database;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  caller = await startRouter("router");
  rooms = [await startRooms("rooms-1"), await startRooms("rooms-2")];
  server = await startServer("im-1");
  database = new Database(databaseName("living-room"));
  await seeing(caller, { "living-room": 2, "im-server": 1 });
  await seeing(server, { "living-room": 2 });
  for (const node of rooms) await seeing(node, { "im-router": 1 });
});
afterAll(async () => {
  cutClients();
  await database.close();
  redis.disconnect();
  await stopAll();
});

let anchors = 0n;
async function openRoom(): Promise<{ anchorId: string; roomId: number }> {
  const anchorId = String(372_345_678_900_000_000n + ++anchors);
  const { roomId } = await call(caller, "living-room.start", { userId: anchorId, type: 1 });
  return { anchorId, roomId };
}
interface Marks {
  seen: number;
  away: number;
  awayMs: number;
}
async function marksOf(roomId: number): Promise<Marks | undefined> {
  const [row] = await database.query<Marks>(
    `SELECT anchor_seen AS seen, away_since IS NOT NULL AS away,
            TIMESTAMPDIFF(MICROSECOND, away_since, UTC_TIMESTAMP(3)) DIV 1000 AS awayMs
     FROM t_living_room WHERE id = ?`,
    [roomId],
  );
  return row && { seen: Number(row.seen), away: Number(row.away), awayMs: Number(row.awayMs) };
}
const isLive = async (roomId: number) => (await marksOf(roomId)) !== undefined;
const isAway = (roomId: number) =>
  eventually("she is known to be away", async () => (await marksOf(roomId))?.away === 1);
const isBack = (roomId: number) =>
  eventually("she is not known to be away", async () => (await marksOf(roomId))?.away === 0);
const isClosed = (roomId: number) => eventually("the room is closed", async () => !(await isLive(roomId)));
/** As if she had been away for as long as it takes to be closed. */
const wasAwayLong = (roomId: number) =>
  database.run("UPDATE t_living_room SET away_since = away_since - INTERVAL ? MICROSECOND WHERE id = ?", [
    awayMs * 1_000,
    roomId,
  ]);
const looksSince = async () => {
  const [row] = await database.query<{ at: Date }>("SELECT looked_time AS at FROM t_living_room_look");
  return row?.at.getTime() ?? 0;
};
/** Resolves once a whole look has begun and ended. */
async function afterALook(): Promise<void> {
  for (let look = 0; look < 2; look++) {
    const last = await looksSince();
    await eventually("another look", async () => (await looksSince()) > last);
  }
}
const eventsOf = (roomId: number) =>
  database.query<{ subject: string; payload: unknown }>(
    "SELECT subject, payload FROM t_outbox WHERE order_key = ? AND subject = 'event.room.closed'",
    [`room:${roomId}`],
  );
const holder = async () =>
  (await database.query<{ holder: string }>("SELECT holder FROM t_lease WHERE name = ?", ["rooms-look"]))[0]?.holder;

/** As a node that was killed leaves the lease: it runs on for its time. */
const leaseOfTheDead = () =>
  database.run(
    "UPDATE t_lease SET holder = 'a-dead-node', until_time = UTC_TIMESTAMP(3) + INTERVAL 1 SECOND WHERE name = ?",
    ["rooms-look"],
  );

test("it is closed as by her: one event, 5562 to who is in it, a record; a room that she never came to stays", async () => {
  const [left, never] = [await openRoom(), await openRoom()];
  const viewer = await connect(server, "11", left.roomId);
  const anchor = await connect(server, left.anchorId, left.roomId);
  expect(await marksOf(left.roomId)).toMatchObject({ seen: 1, away: 0 });
  await anchor.leave();
  await isAway(left.roomId);
  await afterALook();
  expect(await marksOf(left.roomId)).toMatchObject({ seen: 1, away: 1 });
  await wasAwayLong(left.roomId);
  await isClosed(left.roomId);
  expect((await viewer.closing()).code).toBe(closeCodes.roomClosed);
  expect(viewer.business(5562)).toHaveLength(1);
  expect(await eventsOf(left.roomId)).toHaveLength(1);
  const records = await database.query("SELECT id FROM t_living_room_record WHERE id = ?", [left.roomId]);
  expect(records).toHaveLength(1);
  expect(await marksOf(never.roomId)).toMatchObject({ seen: 0, away: 0 });
  // Her next room is another one.
  await redis.del(`rate:room-start:${left.anchorId}`);
  const again = await call(caller, "living-room.start", { userId: left.anchorId, type: 1 });
  expect(again.roomId).not.toBe(left.roomId);
});

test("an anchor who was connected for less than a look was there; one who comes back in time keeps her room", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  expect((await marksOf(roomId))?.seen).toBe(1);
  await isAway(roomId);
  const anchor = await connect(server, anchorId, roomId);
  expect(await marksOf(roomId)).toMatchObject({ seen: 1, away: 0 });
  await afterALook();
  expect(await marksOf(roomId)).toMatchObject({ seen: 1, away: 0 });
  // Connected elsewhere she is away from her room.
  const other = await openRoom();
  await connect(server, anchorId, other.roomId);
  await anchor.closing();
  await isAway(roomId);
  await wasAwayLong(roomId);
  await isClosed(roomId);
});

test("an anchor whose entry Redis has lost is asked for at the im-servers, and stays", async () => {
  const quiet = await startServer("im-quiet", slow);
  await seeing(quiet, { "living-room": 2, "im-router": 1 });
  await seeing(caller, { "im-server": 2 });
  const { anchorId, roomId } = await openRoom();
  const anchor = await connect(quiet, anchorId, roomId);
  for (let round = 0; round < 2; round++) {
    await redis.del(`im:user:${anchorId}`);
    await isAway(roomId);
    await wasAwayLong(roomId);
    await isBack(roomId);
  }
  expect(anchor.closed).toBeUndefined();
  await anchor.leave();
  await isAway(roomId);
  await wasAwayLong(roomId);
  await isClosed(roomId);
  await stopNode(quiet);
});

test("an anchor who comes back before the commit keeps her room, and one who comes after it is told so", async () => {
  const { anchorId, roomId } = await openRoom();
  const mysql = database;
  const lease = new DatabaseLease({ mysql, name: "of-this-test", holder: "test", ms: 60_000 });
  await lease.hold();
  const { outbox } = rooms[0].getLocalService("living-room") as unknown as OutboxState;
  const closeNow = () => closeDesertedRoom({ outbox }, lease, { roomId, anchorAwayMs: 60_000 });
  const goneFor = (minutes: number) =>
    database.run(
      "UPDATE t_living_room SET anchor_seen = 1, away_since = UTC_TIMESTAMP(3) - INTERVAL ? MINUTE WHERE id = ?",
      [minutes, roomId],
    );
  await goneFor(5);
  expect(await call(caller, "living-room.anchorEntered", { anchorId, roomId })).toEqual({ live: true });
  expect(await closeNow()).toBe(false);
  // Of two that close it at once one does.
  await goneFor(5);
  const closed = await Promise.all([closeNow(), closeNow(), closeNow()]);
  if (await isLive(roomId)) throw new Error("it was not closed");
  expect(closed.filter(Boolean).length).toBeLessThanOrEqual(1);
  expect(await eventsOf(roomId)).toHaveLength(1);
  expect(await call(caller, "living-room.anchorEntered", { anchorId, roomId })).toEqual({ live: false });
  expect(await call(caller, "living-room.anchorEntered", { anchorId: "1", roomId })).toEqual({ live: false });
});

test("an anchor is not let into a room that was closed, though its node still takes it for live", async () => {
  const { anchorId, roomId } = await openRoom();
  const viewer = await connect(server, "12", roomId);
  const token = await tokenOf(server, anchorId);
  await database.run("DELETE FROM t_living_room WHERE id = ?", [roomId]);
  const anchor = openClient(`${await addressOf(server)}?token=${token}&roomId=${roomId}`);
  expect((await anchor.closing()).code).toBe(closeCodes.roomNotLive);
  await viewer.leave();
});

test("the time starts anew when Redis was away, and nobody is closed meanwhile", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  const { redis: connection } = caller.getLocalService("im-router") as unknown as RedisState;
  // The client does not clear this timer of commands it refuses.
  connection.options.commandTimeout = undefined;
  connection.disconnect();
  await isBack(roomId);
  await connection.connect();
  connection.options.commandTimeout = limits.redis.commandTimeoutMs;
  await isAway(roomId);
  await afterALook();
  await wasAwayLong(roomId);
  await isClosed(roomId);
});

test("the time starts anew when Redis has lost everything, and who is there stays", async () => {
  const [away, there] = [await openRoom(), await openRoom()];
  const anchor = await connect(server, there.anchorId, there.roomId);
  await (await connect(server, away.anchorId, away.roomId)).leave();
  await isAway(away.roomId);
  const wiped = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
  await redis.eval(wiped, 0, `${redis.options.keyPrefix}im:*`);
  await isBack(away.roomId);
  await isAway(away.roomId);
  await wasAwayLong(away.roomId);
  await isClosed(away.roomId);
  expect(await marksOf(there.roomId)).toMatchObject({ seen: 1, away: 0 });
  expect(anchor.closed).toBeUndefined();
});

test("the time starts anew when all im-servers were away, and she must be back within it", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  await stopNode(server);
  await isBack(roomId);
  server = await startServer("im-2", quick);
  await seeing(server, { "living-room": 2, "im-router": 1 });
  await isAway(roomId);
  await wasAwayLong(roomId);
  await isClosed(roomId);
});

test("when the node that checks the rooms dies another continues, and the absence so far counts", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  await leaseOfTheDead();
  await wasAwayLong(roomId);
  await isClosed(roomId);
  expect(rooms.map(({ nodeID }) => nodeID)).toContain(await holder());
  expect(await eventsOf(roomId)).toHaveLength(1);
});

test("after a time in which nobody looked the absence counts anew", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  await leaseOfTheDead();
  await wasAwayLong(roomId);
  await database.run("UPDATE t_living_room_look SET looked_time = UTC_TIMESTAMP(3) - INTERVAL 1 HOUR");
  await eventually("it counts anew or was closed", async () => ((await marksOf(roomId))?.awayMs ?? 0) < awayMs);
  expect(await isLive(roomId)).toBe(true);
});

test("an anchor who came and left while her room could not be told of it is known to have been there", async () => {
  const { anchorId, roomId } = await openRoom();
  let telling = false;
  const stores = rooms.map((node) => (node.getLocalService("living-room") as unknown as MysqlState).mysql);
  const runs = stores.map((store) => {
    const run = store.run.bind(store);
    return jest.spyOn(store, "run").mockImplementation((sql, values) => {
      if (!telling && sql.includes("SET anchor_seen = 1")) return Promise.reject(fail("unavailable"));
      return run(sql, values);
    });
  });
  try {
    await (await connect(server, anchorId, roomId)).leave();
    // As if no look had fallen into that time.
    await afterALook();
    await database.run("UPDATE t_living_room SET anchor_seen = 0, away_since = NULL WHERE id = ?", [roomId]);
    await afterALook();
    expect(await marksOf(roomId)).toMatchObject({ seen: 0, away: 0 });
    telling = true;
    await isAway(roomId);
    expect(await marksOf(roomId)).toMatchObject({ seen: 1 });
    await database.run("UPDATE t_living_room SET away_since = away_since - INTERVAL 30 SECOND WHERE id = ?", [roomId]);
    expect(await call(caller, "living-room.anchorEntered", { anchorId, roomId, late: true })).toEqual({ live: true });
    expect((await marksOf(roomId))?.awayMs).toBeGreaterThanOrEqual(30_000);
    await wasAwayLong(roomId);
    await isClosed(roomId);
  } finally {
    for (const run of runs) run.mockRestore();
  }
});
