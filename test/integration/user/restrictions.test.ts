import { randomUUID } from "node:crypto";
import type { ServiceBroker as Broker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database, type Transaction } from "../../../mixins/mysql/database.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import type { FeedPage, FeedPlace } from "../../../services/row-feed.ts";
import { restrictionsFrom } from "../../../services/user/restriction-store.ts";
import type { RestrictionFact } from "../../../services/user/restrictions.contract.ts";
import { revocationsFrom } from "../../../services/user/session-store.ts";
import user from "../../../services/user/user.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** Mutes and bans at the user service: two nodes with it, and calls from a third. */

let nodes: [Broker, Broker];
let caller: Broker;
let database: Database;

beforeAll(async () => {
  nodes = [await startNode("user-1", [user]), await startNode("user-2", [user])];
  caller = await startNode("caller", [notification]);
  await Promise.all(nodes.map((node) => waitForNode(caller, "user", node.nodeID)));
  database = new Database(databaseName("user"));
});

afterAll(async () => {
  await database.close();
  await stopAll();
});

const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
let people = 0;
const newUser = async () =>
  (await call(caller, "user.ofExternal", { externalId: `restricted-${process.pid}-${++people}` })).userId;
let rooms = 500;
const newRoom = () => ++rooms;

const restrict = (userId: string, more: Partial<ParamsOf<"user.restrict">> = {}, node: 0 | 1 = 0) =>
  call(caller, "user.restrict", { userId, kind: "mute", reason: "spam", operator: "staff:ann", ...more }, on(node));
const lift = (restrictionId: string, node: 0 | 1 = 0) =>
  call(caller, "user.liftRestriction", { restrictionId, reason: "appeal", operator: "staff:bob" }, on(node));
const banned = async (userId: string, node: 0 | 1 = 1) =>
  (await call(caller, "user.bannedAmong", { userIds: [userId, "1"] }, on(node))).userIds;
const eventsOf = async (restrictionId: string) =>
  (
    await database.query<{ subject: string }>("SELECT subject FROM t_outbox WHERE msg_id IN (?) ORDER BY id", [
      [`user.restricted:${restrictionId}`, `user.unrestricted:${restrictionId}`],
    ])
  ).map(({ subject }) => subject);
/** All pages from a place on. */
async function feed(since: number): Promise<RestrictionFact[]> {
  const list: RestrictionFact[] = [];
  for (let place: FeedPlace | null = { since, afterId: "0" }; place; ) {
    const page: FeedPage<RestrictionFact> = await call(caller, "user.restrictionsSince", place, on(1));
    list.push(...page.list);
    place = page.next;
  }
  return list;
}
/** How many rows of tables and indexes a statement reads one after the other. */
async function rowsRead(work: (tx: Transaction) => Promise<unknown>): Promise<number> {
  return database.transaction(async (tx) => {
    const count = async () => {
      const rows = await tx.query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Handler_read_%next'");
      return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const before = await count();
    await work(tx);
    return (await count()) - before;
  });
}
const now = async () => (await call(caller, "user.restrictionsSince", { since: 1 }, on(1))).now;

test("a restriction is durable, in the lists of both nodes, an event, and in force until it is lifted, once", async () => {
  const userId = await newUser();
  const placed = await restrict(userId, { kind: "ban" });
  expect(placed).toMatchObject({ userId, kind: "ban", roomId: null, until: null, reason: "spam", by: "staff:ann" });
  expect(await banned(userId)).toEqual([userId]);
  const { restrictionId } = placed;
  const lifted = await lift(restrictionId, 1);
  expect(lifted).toMatchObject({ restrictionId, liftedBy: "staff:bob", liftReason: "appeal" });
  expect(await banned(userId, 0)).toEqual([]);
  expect(await lift(restrictionId, 0)).toEqual(lifted);
  const lifts = await Promise.all([lift(restrictionId, 0), lift(restrictionId, 1)]);
  expect(lifts).toEqual([lifted, lifted]);
  const about = (active?: 0 | 1) =>
    call(caller, "user.restrictions", { userId, ...(active !== undefined && { active }) });
  expect((await about()).list).toEqual([lifted]);
  expect([(await about(1)).list, (await about(0)).list]).toEqual([[], [lifted]]);
  expect(await eventsOf(restrictionId)).toEqual(["event.user.restricted", "event.user.unrestricted"]);
});

test("the same call again, also at the same moment, is one restriction, which nodes read again; another one is refused", async () => {
  const [userId, writeId, since] = [await newUser(), randomUUID(), await now()];
  const until = new Date((await now()) + 6_000).toISOString();
  const once = (more = {}, node: 0 | 1 = 0) => restrict(userId, { writeId, until, ...more }, node);
  const [placed, same] = await Promise.all([once(), once({}, 1)]);
  expect(same).toEqual(placed);
  expect(await eventsOf(placed.restrictionId)).toEqual(["event.user.restricted"]);
  const conflicts = [{ kind: "ban" as const }, { reason: "other" }, { until: undefined }, { userId: "4242" }];
  for (const other of conflicts) expect(await once(other).catch(failureName)).toBe("idempotencyConflict");
  await eventually("it is over", async () => (await now()) > Date.parse(until), 20_000);
  expect(await once()).toEqual(placed);
  expect((await call(caller, "user.restrictions", { userId })).list).toEqual([placed]);
  const reads = (await feed(since)).filter((fact) => fact.userId === userId);
  expect(reads.map(({ restrictionId }) => restrictionId)).toEqual(Array(3).fill(placed.restrictionId));
});

test("in a room a restriction ends after 30 days at the most, elsewhere it may have no end", async () => {
  const [userId, roomId, writeId] = [await newUser(), newRoom(), randomUUID()];
  const inDays = async (days: number) => new Date((await now()) + days * 24 * 3_600_000).toISOString();
  const lastsMs = ({ until, createTime }: { until: string | null; createTime: string }) =>
    Date.parse(until as string) - Date.parse(createTime);
  const most = limits.user.roomRestrictionMs;
  const placed = await restrict(userId, { roomId, writeId });
  expect(Math.abs(lastsMs(placed) - most)).toBeLessThan(5_000);
  expect(await restrict(userId, { roomId, writeId })).toEqual(placed);
  expect(Math.abs(lastsMs(await restrict(userId, { roomId, until: await inDays(90) })) - most)).toBeLessThan(5_000);
  const [short, long] = [await inDays(1), await inDays(90)];
  expect((await restrict(userId, { roomId, until: short })).until).toBe(short);
  expect((await restrict(userId, { until: long })).until).toBe(long);
  expect((await restrict(userId)).until).toBeNull();
});

test("a repeated lift has nodes read it again: the first call may have ended before it did", async () => {
  const userId = await newUser();
  const { restrictionId } = await restrict(userId);
  await lift(restrictionId);
  const read = async () => (await feed(1)).filter((fact) => fact.restrictionId === restrictionId);
  const before = (await read()).length;
  await lift(restrictionId, 1);
  expect((await read()).slice(before)).toEqual([expect.objectContaining({ restrictionId, lifted: true })]);
});

test("two lifts of one restriction at the same moment are one fact and one event", async () => {
  const { restrictionId } = await restrict(await newUser());
  const [one, other] = await Promise.all([lift(restrictionId, 0), lift(restrictionId, 1)]);
  expect(one).toEqual(other);
  expect(await eventsOf(restrictionId)).toEqual(["event.user.restricted", "event.user.unrestricted"]);
});

test("a restriction ends at its time by the database, without a call", async () => {
  const userId = await newUser();
  const until = new Date((await now()) + 6_000).toISOString();
  await restrict(userId, { kind: "ban", until });
  expect(await banned(userId)).toEqual([userId]);
  await eventually("it is over", async () => (await banned(userId)).length === 0, 20_000);
  expect((await feed(0)).filter((fact) => fact.userId === userId)).toEqual([]);
  const { list } = await call(caller, "user.restrictions", { userId, active: 0 });
  expect(list).toMatchObject([{ until, liftedTime: null }]);
});

test("an unknown user, a time that is over and an unknown id are refused; nothing is written", async () => {
  const userId = await newUser();
  const failures = await Promise.all(
    [
      restrict("4242"),
      restrict(userId, { until: new Date((await now()) - 1).toISOString() }),
      restrict(userId, { kind: "shout" as never }),
      lift("999999999"),
    ].map((refused) => refused.catch(failureName)),
  );
  expect(failures).toEqual(["userUnknown", "invalidParam", "invalidParam", "restrictionUnknown"]);
  expect((await call(caller, "user.restrictions", { userId })).list).toEqual([]);
});

test("lists page by cursor, of a user and of a room", async () => {
  const [userId, roomId] = [await newUser(), newRoom()];
  const ids: string[] = [];
  for (let at = 0; at < 3; at++) ids.unshift((await restrict(userId, { roomId })).restrictionId);
  const first = await call(caller, "user.restrictions", { roomId, limit: 2 });
  expect(first.list.map(({ restrictionId }) => restrictionId)).toEqual(ids.slice(0, 2));
  const second = await call(caller, "user.restrictions", { userId, limit: 2, cursor: first.nextCursor as string });
  expect([second.list.map(({ restrictionId }) => restrictionId), second.nextCursor]).toEqual([ids.slice(2), null]);
});

describe("the feed", () => {
  test("reads changes and revocations behind a place at what they bring, also where many were written at one moment", async () => {
    const { restrictionId, userId } = await restrict(await newUser());
    const [at, many] = ["2026-01-02 03:04:05.678", limits.user.feedRowsPerPage];
    const rows = (row: (n: number) => string) => Array.from({ length: many }, (_, n) => row(n)).join();
    await database.run(
      `INSERT INTO t_restriction_change (restriction_id, create_time) VALUES ${rows(() => `(${restrictionId}, '${at}')`)}`,
    );
    await database.run(
      `INSERT INTO t_revocation (user_id, session_id, issued_until_ms, expires_time, create_time)
       VALUES ${rows((n) => `(${userId}, ${n + 1}, 1, UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, '${at}')`)}`,
    );
    const lastOf = async (table: string) =>
      (await database.query<{ id: string }>(`SELECT MAX(id) AS id FROM ${table} WHERE create_time = ?`, [at]))[0]?.id;
    const place = async (table: string) => ({
      since: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      afterId: String(Number(await lastOf(table)) - 5),
    });
    const [changes, revocations] = [await place("t_restriction_change"), await place("t_revocation")];
    expect((await restrictionsFrom(database, changes)).list.slice(0, 5)).toMatchObject(
      Array(5).fill({ restrictionId }),
    );
    expect(await rowsRead((tx) => restrictionsFrom(tx, changes))).toBeLessThan(many);
    expect((await revocationsFrom(database, revocations)).list).toHaveLength(5);
    expect(await rowsRead((tx) => revocationsFrom(tx, revocations))).toBeLessThan(100);
    await database.run("DELETE FROM t_restriction_change WHERE create_time = ?", [at]);
    await database.run("DELETE FROM t_revocation WHERE user_id = ?", [userId]);
  });

  test("has what is in force at first, and then what was placed or lifted", async () => {
    const [kept, gone] = [await newUser(), await newUser()];
    const since = await now();
    const stays = await restrict(kept, { kind: "ban", roomId: 7 });
    const { restrictionId } = await restrict(gone);
    await lift(restrictionId);
    const about = (list: RestrictionFact[]) => list.filter(({ userId }) => userId === kept || userId === gone);
    const fact = {
      restrictionId: stays.restrictionId,
      userId: kept,
      kind: "ban",
      roomId: 7,
      until: Date.parse(stays.until as string),
      lifted: false,
    };
    expect(about(await feed(0))).toEqual([fact]);
    const changes = about(await feed(since));
    expect(changes).toHaveLength(3);
    expect(changes[0]).toEqual(fact);
    expect(changes.slice(1)).toEqual([1, 2].map(() => expect.objectContaining({ restrictionId, lifted: true })));
  });

  test("comes in pages, with no restriction missing or twice, also of many that end at the same moment", async () => {
    const userId = await newUser();
    const rows = limits.user.feedRowsPerPage + 5;
    const values = Array.from(
      { length: rows },
      (_, at) => `(${userId}, 1, ${1_000_000 + at}, '9999-12-31', '', 'staff:t', UTC_TIMESTAMP(3))`,
    );
    await database.run(
      `INSERT INTO t_restriction (user_id, kind, room_id, until_time, reason, placed_by, create_time) VALUES ${values.join()}`,
    );
    const own = (await feed(0)).filter((fact) => fact.userId === userId);
    expect([own.length, new Set(own.map(({ roomId }) => roomId)).size]).toEqual([rows, rows]);
    expect((await call(caller, "user.restrictionsSince", { since: 0 }, on(1))).list).toHaveLength(
      limits.user.feedRowsPerPage,
    );
    // A page costs what it brings, and not the rows before it, although all of them end at the same moment.
    const [first] = await database.query<{ id: string; end: Date }>(
      "SELECT id, until_time AS end FROM t_restriction WHERE user_id = ? ORDER BY id DESC LIMIT 1 OFFSET 5",
      [userId],
    );
    const place = { since: 0, afterId: `${first?.end.getTime()}:${first?.id}` };
    expect(await rowsRead((tx) => restrictionsFrom(tx, place))).toBeLessThan(100);
    // Facts are never deleted, but these are no facts.
    await database.run("DELETE FROM t_restriction WHERE user_id = ?", [userId]);
  });
});

describe("in a room", () => {
  const mute = (userId: string, roomId: number, by: string, minutes = 10) =>
    call(caller, "user.muteInRoom", { userId, roomId, by, minutes, reason: "" });
  const unmute = (userId: string, roomId: number, by: string, but?: string) =>
    call(caller, "user.unmuteInRoom", { userId, roomId, by, ...(but && { but }) });
  const inForce = async (userId: string) =>
    (await call(caller, "user.restrictions", { userId, active: 1 })).list.map(({ by }) => by).sort();

  test("a mute lasts its minutes by the database's time", async () => {
    const [userId, by] = [await newUser(), await newUser()];
    const muted = await mute(userId, newRoom(), by, 10);
    expect(muted).toMatchObject({ kind: "mute", by, liftedTime: null });
    expect(Date.parse(muted.until as string) - Date.parse(muted.createTime)).toBeGreaterThan(599_000);
    expect(Date.parse(muted.until as string) - Date.parse(muted.createTime)).toBeLessThanOrEqual(600_000);
  });

  test("mutes of the room are lifted, those of staff, of other rooms and, for a moderator, of the anchor stay", async () => {
    const [userId, anchor, moderator] = [await newUser(), await newUser(), await newUser()];
    const [roomId, other] = [newRoom(), newRoom()];
    await restrict(userId, { roomId });
    await mute(userId, roomId, anchor);
    await mute(userId, roomId, moderator);
    await mute(userId, other, moderator);
    expect(await unmute(userId, roomId, moderator, anchor)).toEqual({ lifted: 1 });
    expect(await inForce(userId)).toEqual([anchor, moderator, "staff:ann"].sort());
    expect(await unmute(userId, roomId, anchor)).toEqual({ lifted: 1 });
    expect(await unmute(userId, roomId, anchor)).toEqual({ lifted: 0 });
    expect(await inForce(userId)).toEqual([moderator, "staff:ann"].sort());
  });

  test.each(["mute", "ban"] as const)(
    "who has a %s in the room or everywhere neither mutes nor lifts in it",
    async (kind) => {
      const [userId, by] = [await newUser(), await newUser()];
      const roomId = newRoom();
      const { restrictionId } = await restrict(by, { kind, roomId });
      const name = kind === "ban" ? "banned" : "muted";
      expect(await mute(userId, roomId, by).catch(failureName)).toBe(name);
      expect(await unmute(userId, roomId, by).catch(failureName)).toBe(name);
      const check = call(caller, "user.requireUnrestricted", { userId: by, roomId });
      expect(await check.catch(failureName)).toBe(name);
      expect(await mute(userId, newRoom(), by)).toMatchObject({ by });
      await lift(restrictionId);
      await restrict(by, { kind });
      expect(await mute(userId, newRoom(), by).catch(failureName)).toBe(name);
    },
  );

  test("beyond the bound of a room nobody more is muted in it by its people; staff does it all the same", async () => {
    const [userId, by, roomId] = [await newUser(), await newUser(), newRoom()];
    const values = Array.from(
      { length: limits.user.roomMutesInForce },
      () => `(${userId}, 1, ${roomId}, UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, '', '${by}', UTC_TIMESTAMP(3))`,
    );
    await database.run(
      `INSERT INTO t_restriction (user_id, kind, room_id, until_time, reason, placed_by, create_time) VALUES ${values.join()}`,
    );
    expect(await mute(userId, roomId, by).catch(failureName)).toBe("restrictionLimit");
    expect(await restrict(userId, { roomId })).toMatchObject({ roomId });
    expect(await mute(userId, newRoom(), by)).toMatchObject({ by });
    await database.run("DELETE FROM t_restriction WHERE room_id = ?", [roomId]);
  });
});
