import { once } from "node:events";
import { type ServiceBroker as Broker, Errors } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { closeRoom, openRoom } from "../../../services/living-room/broadcasting.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

const fakeUser = {
  name: "user",
  actions: {
    bannedAmong: () => ({ userIds: [] }),
    profile: (ctx: { params: { userId: string } }) => ({ userId: ctx.params.userId, nickName: "小鱼", avatar: "" }),
  },
};

/** A wallet without frozen accounts; frozen-anchor.test.ts has the real one. */
const fakeWallet = { name: "wallet", actions: { unusableOf: () => ({ userIds: [] }) } };

/** Replaces the router on another node: it records the emptied rooms and can be away. */
const emptied: number[] = [];
let routerAway = false;
const fakeRouter = {
  name: "im-router",
  actions: {
    closeRoom(ctx: { params: { roomId: number } }) {
      if (routerAway) throw new Errors.MoleculerRetryableError("away", 503, "unavailable");
      emptied.push(ctx.params.roomId);
      return null;
    },
  },
};

let nodes: [Broker, Broker];
/** A node without the living-room service, so that every call of the tests goes to another node. */
let caller: Broker;
let database: Database;
const redis = openRedis("test");

beforeAll(async () => {
  caller = await startNode("caller", [fakeUser, fakeRouter, fakeWallet]);
  nodes = [await startNode("room-1", [livingRoom]), await startNode("room-2", [livingRoom])];
  await Promise.all(nodes.map((node) => node.waitForServices(["user", "im-router", "wallet"])));
  await Promise.all(nodes.map((node) => waitForNode(caller, "living-room", node.nodeID)));
  database = new Database(databaseName("living-room"));
  await redis.connect();
});

afterAll(async () => {
  await database.close();
  redis.disconnect();
  await stopAll();
});

beforeEach(() => {
  routerAway = false;
});

/** Cuts a node's connection to Redis at once; returns a function that restores it. */
async function cutRedis(node: Broker, service: string): Promise<() => Promise<void>> {
  const { redis: connection } = node.getLocalService(service) as unknown as RedisState;
  // The client does not clear this timer of commands it refuses, and the test would wait for it at its end.
  connection.options.commandTimeout = undefined;
  const ended = once(connection, "end");
  connection.disconnect();
  await ended;
  return async () => {
    await connection.connect();
    connection.options.commandTimeout = limits.redis.commandTimeoutMs;
  };
}

let anchors = 0n;
const newAnchor = () => String(272_345_678_900_000_000n + ++anchors);
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const local = <State>(node: 0 | 1) => nodes[node].getLocalService("living-room") as unknown as State;
/** Removes the limits of one start and one close in ten seconds. */
const later = (userId: string) =>
  redis.del(`rate:living-room:room-start:${userId}`, `rate:living-room:room-close:${userId}`);
const start = (userId: string, params: { type?: number; roomName?: string } = { type: 1 }, node: 0 | 1 = 0) =>
  call(caller, "living-room.start", { userId, ...params } as ParamsOf<"living-room.start">, on(node));
const close = (userId: string, roomId: number, node: 0 | 1 = 0) =>
  call(caller, "living-room.close", { userId, roomId }, on(node));
const find = (roomId: number, node: 0 | 1 = 0) => call(caller, "living-room.find", { roomId }, on(node));
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "it succeeded",
    (error) => failureName(error) ?? error,
  );
/** The events of a room in the outbox, sent or not. */
const announced = (roomId: number) => database.query("SELECT id FROM t_outbox WHERE order_key = ?", [`room:${roomId}`]);
const eventsOf = async (name: string, roomId: number) => {
  const stream = await local<JetStreamState>(0).jetstream.client.streams.get(`${natsPrefix()}EVENTS`);
  const { state } = await stream.info();
  const found: { id: string; data: { roomId: number } }[] = [];
  // The sequence of an empty stream is 0, which no message has.
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const event = (await stream.getMessage({ seq })).json<{ id: string; name: string; data: { roomId: number } }>();
    if (event.name === name && event.data.roomId === roomId) found.push(event);
  }
  return found;
};

test("the anchors of many rooms are asked for together; a room that closes is left out at once on its node", async () => {
  const hosts = [newAnchor(), newAnchor()] as const;
  const rooms = await Promise.all(hosts.map(async (host) => (await start(host)).roomId));
  const anchorsOf = async (roomIds: number[]) =>
    (await call(caller, "living-room.anchorsOf", { roomIds }, on(0))).list.map(({ roomId, anchorId }) => [
      roomId,
      anchorId,
    ]);
  const [first, second] = rooms as [number, number];
  expect(await anchorsOf([second, first, 999_999_999, second])).toEqual([
    [second, hosts[1]],
    [first, hosts[0]],
    [second, hosts[1]],
  ]);
  await close(hosts[0], first);
  expect(await anchorsOf([first, second])).toEqual([[second, hosts[1]]]);
});

describe("starting", () => {
  test("opens a room that every node finds, with a default name made of the nick name", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId);
    const room = { roomId, anchorId, type: 1, roomName: "小鱼的直播间" };
    expect(await find(roomId, 0)).toEqual(room);
    expect(await find(roomId, 1)).toEqual(room);
    const opened = await eventually(
      "room.opened is in the stream",
      async () => (await eventsOf("room.opened", roomId))[0],
    );
    expect(opened).toMatchObject({ id: `room.opened:${roomId}`, data: { ...room, time: expect.any(String) } });
  });

  test("keeps a given name without surrounding blanks", async () => {
    const { roomId } = await start(newAnchor(), { type: 2, roomName: "  唱歌 " });
    expect(await find(roomId)).toMatchObject({ type: 2, roomName: "唱歌" });
  });

  test("the type is checked before the limit, and a malformed start is not counted", async () => {
    const anchorId = newAnchor();
    expect(await failureOf(start(anchorId, {}))).toBe("roomTypeMissing");
    expect(await failureOf(start(anchorId, { type: 3 }))).toBe("invalidParam");
    expect(await failureOf(start(anchorId))).toBe("it succeeded");
    expect(await failureOf(start(anchorId, {}))).toBe("roomTypeMissing");
  });

  test("again within ten seconds is refused on every node; later it returns the same room, unchanged", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId, { type: 1, roomName: "first" }, 0);
    expect(await failureOf(start(anchorId, { type: 1 }, 1))).toBe("startTooOften");
    expect(await redis.pttl(`rate:living-room:room-start:${anchorId}`)).toBeGreaterThan(limits.room.startEveryMs / 2);
    await later(anchorId);
    expect(await start(anchorId, { type: 2, roomName: "second" }, 1)).toEqual({ roomId });
    expect(await find(roomId)).toMatchObject({ type: 1, roomName: "first" });
    expect(await announced(roomId)).toHaveLength(1);
  });

  test("20 times in parallel on two nodes opens one room and writes one event, with and without Redis", async () => {
    const anchorId = newAnchor();
    const anchor = { anchorId, type: 1, name: async () => "parallel", requestId: null };
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => openRoom(local<MysqlState & OutboxState>((at % 2) as 0 | 1), anchor)),
    );
    expect(outcomes.filter(({ opened }) => opened)).toHaveLength(1);
    expect(new Set(outcomes.map(({ room }) => room.roomId)).size).toBe(1);
    const [first] = outcomes;
    expect(await database.query("SELECT id FROM t_living_room WHERE anchor_id = ?", [anchorId])).toHaveLength(1);
    expect(await announced(first?.room.roomId as number)).toHaveLength(1);
  });

  test("without Redis nothing is limited, and there is still one room", async () => {
    const anchorId = newAnchor();
    const restoreRedis = await Promise.all(nodes.map((node) => cutRedis(node, "living-room")));
    const rooms = await Promise.all(
      Array.from({ length: 8 }, (_, at) => start(anchorId, { type: 1 }, (at % 2) as 0 | 1)),
    );
    await Promise.all(restoreRedis.map((restore) => restore()));
    expect(new Set(rooms.map(({ roomId }) => roomId)).size).toBe(1);
  });
});

describe("closing", () => {
  test("moves the room to the records, is known to every node, and empties the room once", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId, { type: 2, roomName: "to be closed" });
    await Promise.all([find(roomId, 0), find(roomId, 1)]);
    expect(await close(anchorId, roomId, 0)).toBeNull();
    expect(await find(roomId, 0)).toBeNull();
    await eventually(
      "the other node forgot the room before its cache ran out",
      async () => (await find(roomId, 1)) === null,
      limits.room.cacheTtlMs / 2,
    );
    expect(await database.query("SELECT id FROM t_living_room WHERE id = ?", [roomId])).toEqual([]);
    const records = await database.query<Record<string, unknown>>("SELECT * FROM t_living_room_record WHERE id = ?", [
      roomId,
    ]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ anchor_id: anchorId, type: 2, status: 0, room_name: "to be closed" });
    expect(records[0]?.end_time).toBeInstanceOf(Date);
    await eventually("the room was emptied", () => emptied.includes(roomId));
    expect(await eventsOf("room.closed", roomId)).toMatchObject([{ id: `room.closed:${roomId}`, data: { anchorId } }]);
    expect(emptied.filter((id) => id === roomId)).toEqual([roomId]);
  });

  test("in parallel on two nodes closes once with one event, and every node finds it closed", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        closeRoom(local<MysqlState & OutboxState>((at % 2) as 0 | 1), { anchorId, roomId, requestId: null }),
      ),
    );
    expect(outcomes.toSorted()).toEqual([...Array(9).fill(false), true]);
    await eventually("the room was emptied", () => emptied.includes(roomId));
    expect(await eventsOf("room.closed", roomId)).toHaveLength(1);
  });

  test("is for the anchor alone; a stranger's call counts against the stranger's limit", async () => {
    const [anchorId, stranger] = [newAnchor(), newAnchor()];
    const { roomId } = await start(anchorId);
    expect(await failureOf(close(stranger, roomId, 1))).toBe("notYourRoom");
    expect(await failureOf(close(stranger, roomId, 0))).toBe("closeTooOften");
    expect(await find(roomId)).toMatchObject({ anchorId });
    expect(await announced(roomId)).toHaveLength(1);
    expect(await failureOf(close(anchorId, roomId))).toBe("it succeeded");
  });

  test("again is refused: too often at first, then as a room that is not live", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId);
    await close(anchorId, roomId);
    expect(await failureOf(close(anchorId, roomId, 1))).toBe("closeTooOften");
    await later(anchorId);
    const aged = "UPDATE t_living_room_record SET end_time = end_time - INTERVAL ? SECOND WHERE id = ?";
    await database.run(aged, [limits.room.closeTwinMs / 1_000, roomId]);
    expect(await failureOf(close(anchorId, roomId, 1))).toBe("notYourRoom");
  });

  test("again without Redis changes nothing, writes no event and is for the anchor alone", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId);
    await close(anchorId, roomId);
    const restoreRedis = await cutRedis(nodes[1], "living-room");
    const outcomes = await Promise.all([anchorId, newAnchor()].map((id) => failureOf(close(id, roomId, 1))));
    await restoreRedis();
    expect(outcomes).toEqual(["it succeeded", "notYourRoom"]);
    expect(await announced(roomId)).toHaveLength(2);
  });

  test("does not wait for the IM router; the room is emptied once the router is back", async () => {
    const anchorId = newAnchor();
    const { roomId } = await start(anchorId);
    routerAway = true;
    expect(await close(anchorId, roomId)).toBeNull();
    expect(await find(roomId)).toBeNull();
    await eventually("the event is in the stream", async () => (await eventsOf("room.closed", roomId)).length);
    expect(emptied).not.toContain(roomId);
    routerAway = false;
    await eventually("the room was emptied", () => emptied.includes(roomId));
  });

  test("and starting again opens a new room: an id is never used again", async () => {
    const anchorId = newAnchor();
    const first = await start(anchorId);
    await close(anchorId, first.roomId);
    await later(anchorId);
    const second = await start(anchorId);
    expect(second.roomId).toBeGreaterThan(first.roomId);
  });
});

describe("the list", () => {
  test("has the live rooms of a type, newest first, page by page", async () => {
    await database.run("DELETE FROM t_living_room");
    const ids: number[] = [];
    for (let at = 0; at < 5; at++) ids.push((await start(newAnchor(), { type: 1, roomName: `room ${at}` })).roomId);
    await start(newAnchor(), { type: 2 });
    const page = (number: number, pageSize = 2) =>
      call(caller, "living-room.list", { type: 1, page: number, pageSize });
    const newest = ids.toReversed();
    const idsOf = async (number: number, pageSize?: number) => {
      const { list, hasNext } = await page(number, pageSize);
      return { ids: list.map(({ id }) => id), hasNext };
    };
    expect(await idsOf(1)).toEqual({ ids: newest.slice(0, 2), hasNext: true });
    expect(await idsOf(2)).toEqual({ ids: newest.slice(2, 4), hasNext: true });
    expect(await idsOf(3)).toEqual({ ids: newest.slice(4), hasNext: false });
    expect(await idsOf(4)).toEqual({ ids: [], hasNext: false });
    expect(await idsOf(1, 5)).toEqual({ ids: newest, hasNext: false });
    expect((await page(1)).list[0]).toEqual({
      id: newest[0],
      roomName: "room 4",
      anchorId: expect.stringMatching(/^\d{18}$/),
      watchNum: 0,
      goodNum: 0,
      covertImg: "",
    });
  });

  test("shows the watch numbers of the rooms that are still live", async () => {
    await database.run("DELETE FROM t_living_room");
    const one = (await start(newAnchor())).roomId;
    const two = (await start(newAnchor())).roomId;
    const gone = Array.from({ length: limits.room.watchNumbersPerStatement }, (_, at) => 1_000_000 + at);
    const rooms = [...gone, two, one].map((roomId) => ({ roomId, watchNum: roomId === one ? 3 : 5 }));
    expect(await call(caller, "living-room.setWatchNumbers", { rooms })).toBeNull();
    const { list } = await call(caller, "living-room.list", { type: 1, page: 1, pageSize: 10 });
    expect(list.map(({ id, watchNum }) => ({ id, watchNum }))).toEqual([
      { id: two, watchNum: 5 },
      { id: one, watchNum: 3 },
    ]);
    expect(await call(caller, "living-room.setWatchNumbers", { rooms: [] })).toBeNull();
    const times = () => database.query("SELECT id, update_time FROM t_living_room ORDER BY id");
    const before = await times();
    await call(caller, "living-room.setWatchNumbers", { rooms });
    expect(await times()).toEqual(before);
  });
});
