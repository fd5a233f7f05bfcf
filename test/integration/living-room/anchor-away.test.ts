/** The room of an absent anchor is closed, whichever process dies meanwhile. */
import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database, type Queryable } from "../../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { closeCodes } from "../../../services/im-frames.ts";
import { closeDesertedRoom } from "../../../services/living-room/broadcasting.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { addressOf, connect, cutClients, openClient, seeing, tokenOf } from "../im/im-nodes.ts";
import { awayMs, quick, slow, startRooms, startRouter, startServer } from "./monitor-nodes.ts";

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
/** Makes the anchor's absence long enough for her room to be closed. */
const wasAwayLong = (roomId: number, db: Queryable = database) =>
  db.run("UPDATE t_living_room SET away_since = away_since - INTERVAL ? MICROSECOND WHERE id = ?", [
    awayMs * 1_000,
    roomId,
  ]);
const checkedAt = async () => {
  const [row] = await database.query<{ at: Date }>("SELECT checked_time AS at FROM t_living_room_check");
  return row?.at.getTime() ?? 0;
};
/** Resolves once a whole check has begun and ended. */
async function afterALook(): Promise<void> {
  for (let check = 0; check < 2; check++) {
    const last = await checkedAt();
    await eventually("another check", async () => (await checkedAt()) > last);
  }
}
const eventsOf = (roomId: number) =>
  database.query<{ subject: string; payload: unknown }>(
    "SELECT subject, payload FROM t_outbox WHERE order_key = ? AND subject = 'event.room.closed'",
    [`room:${roomId}`],
  );
const holder = async () =>
  (await database.query<{ holder: string }>("SELECT holder FROM t_lease WHERE name = ?", ["room-monitor"]))[0]?.holder;

/** Leaves the lease as a killed node does: it is held until it expires. */
const leaseOfTheDead = (db: Queryable = database) =>
  db.run(
    "UPDATE t_lease SET holder = 'a-dead-node', until_time = UTC_TIMESTAMP(3) + INTERVAL 1 SECOND WHERE name = ?",
    ["room-monitor"],
  );

test("it is closed with one event, 5562 to its members and a record; a room that she never entered stays open", async () => {
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
  await redis.del(`rate:living-room:room-start:${left.anchorId}`);
  const again = await call(caller, "living-room.start", { userId: left.anchorId, type: 1 });
  expect(again.roomId).not.toBe(left.roomId);
});

test("an anchor who was connected for less than a check counts as present; one who returns in time keeps her room", async () => {
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

test("an anchor whose entry Redis lost is found by asking the im-servers, and keeps her room", async () => {
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

test("an anchor who returns before the commit keeps her room; one who returns after it learns that it is closed", async () => {
  const { anchorId, roomId } = await openRoom();
  const mysql = database;
  const lease = new DatabaseLease({ mysql, name: "of-this-test", holder: "test", ms: 60_000 });
  await lease.hold();
  const { outbox } = rooms[0].getLocalService("living-room") as unknown as OutboxState;
  const closeNow = () => closeDesertedRoom({ outbox }, lease, { roomId, anchorAwayMs: 10_000 });
  // For less than the time after which the nodes' own checks close a room.
  const goneFor = (seconds: number) =>
    database.run(
      "UPDATE t_living_room SET anchor_seen = 1, away_since = UTC_TIMESTAMP(3) - INTERVAL ? SECOND WHERE id = ?",
      [seconds, roomId],
    );
  await goneFor(30);
  expect(await call(caller, "living-room.anchorEntered", { anchorId, roomId })).toEqual({ live: true });
  expect(await closeNow()).toBe(false);
  // Of two concurrent closes one succeeds.
  await goneFor(30);
  const closed = await Promise.all([closeNow(), closeNow(), closeNow()]);
  if (await isLive(roomId)) throw new Error("it was not closed");
  expect(closed.filter(Boolean).length).toBeLessThanOrEqual(1);
  expect(await eventsOf(roomId)).toHaveLength(1);
  expect(await call(caller, "living-room.anchorEntered", { anchorId, roomId })).toEqual({ live: false });
  expect(await call(caller, "living-room.anchorEntered", { anchorId: "1", roomId })).toEqual({ live: false });
});

test("an anchor is refused in a closed room that her node still has as live", async () => {
  const { anchorId, roomId } = await openRoom();
  const viewer = await connect(server, "12", roomId);
  const token = await tokenOf(server, anchorId);
  await database.run("DELETE FROM t_living_room WHERE id = ?", [roomId]);
  const anchor = openClient(`${await addressOf(server)}?token=${token}&roomId=${roomId}`);
  expect((await anchor.closing()).code).toBe(closeCodes.roomNotLive);
  await viewer.leave();
});

test("after an outage of Redis absence counts from zero, and no room is closed during it", async () => {
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

test("after a wipe of Redis absence counts from zero, and present anchors keep their rooms", async () => {
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

test("after an outage of all im-servers absence counts from zero", async () => {
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

test("when the node that checks the rooms dies, another continues and the absence so far counts", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  await leaseOfTheDead();
  await wasAwayLong(roomId);
  await isClosed(roomId);
  expect(rooms.map(({ nodeID }) => nodeID)).toContain(await holder());
  expect(await eventsOf(roomId)).toHaveLength(1);
});

test("after a time without checks absence counts from zero", async () => {
  const { anchorId, roomId } = await openRoom();
  await (await connect(server, anchorId, roomId)).leave();
  await isAway(roomId);
  // All at once: the lease holds for a second.
  await database.transaction(async (tx) => {
    await leaseOfTheDead(tx);
    await wasAwayLong(roomId, tx);
    await tx.run("UPDATE t_living_room_check SET checked_time = UTC_TIMESTAMP(3) - INTERVAL 1 HOUR");
  });
  await eventually("it counts anew or was closed", async () => ((await marksOf(roomId))?.awayMs ?? 0) < awayMs);
  expect(await isLive(roomId)).toBe(true);
});

test("an anchor who came and left while the living-room service was away counts as having been there", async () => {
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
    // As without a check in that time.
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
