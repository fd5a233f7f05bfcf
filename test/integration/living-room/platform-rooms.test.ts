import { randomUUID } from "node:crypto";
import type { ServiceBroker as Broker } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { ExternalRooms, externalRooms } from "../../../services/external-rooms.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

const nobody = "999";
const fakeUser = {
  name: "user",
  actions: {
    bannedAmong: () => ({ userIds: [] }),
    profile({ params: { userId } }: { params: { userId: string } }) {
      if (userId === nobody) throw fail("userUnknown", { userId });
      return { userId, nickName: "小鱼", avatar: "" };
    },
  },
};
const frozen = "998";
const unusable = new Set([frozen]);
const fakeWallet = {
  name: "wallet",
  actions: {
    unusableOf: ({ params: { userIds } }: { params: { userIds: string[] } }) => ({
      userIds: userIds.filter((userId) => unusable.has(userId)),
    }),
  },
};
const fakeRouter = { name: "im-router", actions: { closeRoom: () => null } };

let nodes: [Broker, Broker];
/** A node without the living-room service: every call goes to another node. */
let caller: Broker;
let database: Database;

beforeAll(async () => {
  caller = await startNode("caller", [fakeUser, fakeRouter, fakeWallet]);
  nodes = [await startNode("room-1", [livingRoom]), await startNode("room-2", [livingRoom])];
  await Promise.all(nodes.map((node) => node.waitForServices(["user", "im-router", "wallet"])));
  await Promise.all(nodes.map((node) => waitForNode(caller, "living-room", node.nodeID)));
  database = new Database(databaseName("living-room"));
});

afterAll(async () => {
  await database.close();
  await stopAll();
});

let anchors = 0n;
const newAnchor = () => String(372_345_678_900_000_000n + ++anchors);
const newExternalId = () => `room ${randomUUID()}`;
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const open = (params: Partial<ParamsOf<"living-room.openForPlatform">> & { userId: string }, node: 0 | 1 = 0) =>
  call(caller, "living-room.openForPlatform", { type: 1, writeId: randomUUID(), ...params }, on(node));
const close = (
  params: Omit<ParamsOf<"living-room.closeForPlatform">, "writeId">,
  writeId: string = randomUUID(),
  node: 0 | 1 = 0,
) => call(caller, "living-room.closeForPlatform", { ...params, writeId }, on(node));
const find = (roomId: number, node: 0 | 1) => call(caller, "living-room.find", { roomId }, on(node));
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "it succeeded",
    (error) => failureName(error) ?? error,
  );
const roomIdsOf = async (...externalRoomIds: string[]) =>
  (await call(caller, "living-room.idsOfExternal", { externalRoomIds }, on(1))).list;
const externalIdsOf = async (...roomIds: number[]) =>
  (await call(caller, "living-room.externalIdsOf", { roomIds }, on(1))).list;
const eventOf = (name: string, roomId: number) =>
  eventually(`${name} of room ${roomId} is in the stream`, async () => {
    const { jetstream } = nodes[0].getLocalService("living-room") as unknown as JetStreamState;
    const stream = await jetstream.client.streams.get(`${natsPrefix()}EVENTS`);
    const { state } = await stream.info();
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const event = (await stream.getMessage({ seq })).json<{ id: string; data: object }>();
      if (event.id === `${name}:${roomId}`) return event.data;
    }
    return undefined;
  });

describe("opening a room for the platform", () => {
  test("a room has the platform's id on every node, in its events and after it is closed", async () => {
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    const { room, opened } = await open({ userId, externalRoomId, roomName: " 唱歌 " });
    const { roomId } = room;
    expect({ room, opened }).toEqual({
      room: { roomId, anchorId: userId, type: 1, roomName: "唱歌", externalRoomId },
      opened: true,
    });
    expect(await find(roomId, 1)).toEqual(room);
    expect(await call(caller, "living-room.ofAnchor", { userId }, on(1))).toEqual(room);
    expect(await roomIdsOf(externalRoomId, newExternalId())).toEqual([{ externalRoomId, roomId }]);
    expect(await eventOf("room.opened", roomId)).toMatchObject({ roomId, externalRoomId });

    expect(await close({ externalRoomId })).toEqual({ roomId, anchorId: userId, externalRoomId, closed: true });
    expect(await roomIdsOf(externalRoomId)).toEqual([]);
    expect(await externalIdsOf(roomId)).toEqual([{ roomId, externalRoomId }]);
    expect(await eventOf("room.closed", roomId)).toMatchObject({ roomId, anchorId: userId, externalRoomId });
  });

  test("ids differ by case, by spaces at their end and by emoji", async () => {
    const base = newExternalId();
    const ids = [base, `${base} `, base.toUpperCase(), `${base}🐟`, `${base}🐠`];
    const rooms = await Promise.all(ids.map((externalRoomId) => open({ userId: newAnchor(), externalRoomId })));
    expect(new Set(rooms.map(({ room }) => room.roomId)).size).toBe(ids.length);
    const list = await roomIdsOf(...ids);
    expect(new Set(list.map(({ externalRoomId }) => externalRoomId))).toEqual(new Set(ids));
    for (const { room } of rooms) await close({ roomId: room.roomId });
  });

  test("opens of one anchor at once, on two nodes and within the limit of users, all get one room", async () => {
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => open({ userId, externalRoomId }, at % 2 === 0 ? 0 : 1)),
    );
    expect(new Set(answers.map(({ room }) => room.roomId)).size).toBe(1);
    expect(answers.filter(({ opened }) => opened)).toHaveLength(1);
  });

  test("of two anchors who open one id at once, one gets it and the other is refused", async () => {
    const externalRoomId = newExternalId();
    const both = [open({ userId: newAnchor(), externalRoomId }, 0), open({ userId: newAnchor(), externalRoomId }, 1)];
    const outcomes = await Promise.all(both.map(failureOf));
    expect(outcomes.toSorted()).toEqual(["externalRoomTaken", "it succeeded"]);
  });

  test("an anchor who is live under another id of the platform keeps it, and the open is refused", async () => {
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    const { room } = await open({ userId, externalRoomId });
    expect(await failureOf(open({ userId, externalRoomId: newExternalId() }))).toBe("anchorElsewhere");
    expect((await open({ userId })).room).toEqual(room);
    expect((await call(caller, "living-room.ofAnchor", { userId }))?.externalRoomId).toBe(externalRoomId);
  });

  test("a room that the anchor opened gets the platform's id, on every node at once", async () => {
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    const { roomId } = await call(caller, "living-room.start", { userId, type: 2 }, on(0));
    expect(await find(roomId, 1)).not.toHaveProperty("externalRoomId");
    expect(await externalIdsOf(roomId)).toEqual([]);
    const { room, opened } = await open({ userId, externalRoomId }, 0);
    expect([room.roomId, room.type, opened]).toEqual([roomId, 2, false]);
    await eventually(
      "the other node knows the id",
      async () => (await find(roomId, 1))?.externalRoomId === externalRoomId,
    );
    expect(await failureOf(open({ userId: newAnchor(), externalRoomId }))).toBe("externalRoomTaken");
  });

  test("a user who does not exist, a frozen account and a wrong type are refused by name", async () => {
    expect(await failureOf(open({ userId: nobody }))).toBe("userUnknown");
    expect(await failureOf(open({ userId: frozen }))).toBe("accountUnusable");
    expect(await failureOf(open({ userId: newAnchor(), type: 3 }))).toBe("invalidParam");
    const withoutType = { userId: newAnchor(), writeId: randomUUID() };
    expect(await failureOf(call(caller, "living-room.openForPlatform", withoutType as never))).toBe("roomTypeMissing");
  });

  test("a repeat of an open gets the room that it opened, also after it is closed, and opens no second one", async () => {
    const [userId, externalRoomId, writeId] = [newAnchor(), newExternalId(), randomUUID()];
    const first = await open({ userId, externalRoomId, roomName: "one", writeId });
    expect(first).toMatchObject({ opened: true, room: { anchorId: userId, externalRoomId, roomName: "one" } });
    expect(await open({ userId, externalRoomId, writeId }, 1)).toEqual(first);
    await close({ externalRoomId });
    expect(await open({ userId, externalRoomId, writeId }, 1)).toEqual(first);
    expect(await call(caller, "living-room.ofAnchor", { userId }, on(0))).toBeNull();
    // Another anchor may have the id since, and the account may be frozen.
    await open({ userId: newAnchor(), externalRoomId });
    expect(await open({ userId, externalRoomId, writeId })).toEqual(first);
    unusable.add(userId);
    expect(await open({ userId, externalRoomId, writeId })).toEqual(first);
  });

  test("a repeat of an open that found the room open, or gave it an id, opens no room after that one is closed", async () => {
    for (const externalRoomId of [undefined, newExternalId()]) {
      const [userId, writeId] = [newAnchor(), randomUUID()];
      const { roomId } = await call(caller, "living-room.start", { userId, type: 1 }, on(0));
      const asked = { userId, writeId, ...(externalRoomId !== undefined && { externalRoomId }) };
      const first = await open(asked);
      expect([first.opened, first.room.roomId, first.room.externalRoomId]).toEqual([false, roomId, externalRoomId]);
      await close({ roomId });
      expect(await open(asked, 1)).toEqual(first);
      expect(await call(caller, "living-room.ofAnchor", { userId }, on(0))).toBeNull();
    }
  });

  test("runs of one open at once, on two nodes, all get one answer", async () => {
    const asked = { userId: newAnchor(), externalRoomId: newExternalId(), writeId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => open(asked, at % 2 === 0 ? 0 : 1)));
    expect(answers).toEqual(
      answers.map(() => ({ room: expect.objectContaining({ roomId: answers[0]?.room.roomId }), opened: true })),
    );
  });
});

describe("closing a room for the platform", () => {
  test("a repeat of the same close gets its answer and does not close the next room of the same id", async () => {
    const [userId, externalRoomId, writeId] = [newAnchor(), newExternalId(), randomUUID()];
    const first = (await open({ userId, externalRoomId })).room.roomId;
    expect(await close({ externalRoomId }, writeId)).toMatchObject({ roomId: first, closed: true });
    const second = (await open({ userId, externalRoomId })).room.roomId;
    expect(await close({ externalRoomId }, writeId, 1)).toMatchObject({ roomId: first, closed: true });
    expect(await roomIdsOf(externalRoomId)).toEqual([{ externalRoomId, roomId: second }]);
    expect(await close({ externalRoomId })).toMatchObject({ roomId: second, closed: true });
  });

  test("a repeat of a close that found the room closed does not close the next room of the same id", async () => {
    const [userId, externalRoomId, writeId] = [newAnchor(), newExternalId(), randomUUID()];
    const first = (await open({ userId, externalRoomId })).room.roomId;
    await close({ roomId: first });
    expect(await close({ externalRoomId }, writeId)).toMatchObject({ roomId: first, closed: false });
    const second = (await open({ userId, externalRoomId })).room.roomId;
    expect(await close({ externalRoomId }, writeId, 1)).toMatchObject({ roomId: first, closed: false });
    expect(await roomIdsOf(externalRoomId)).toEqual([{ externalRoomId, roomId: second }]);
  });

  test("runs of one close at once, on two nodes, all get one answer and close one room", async () => {
    const [externalRoomId, writeId] = [newExternalId(), randomUUID()];
    const { roomId } = (await open({ userId: newAnchor(), externalRoomId })).room;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => close({ externalRoomId }, writeId, at % 2 === 0 ? 0 : 1)),
    );
    for (const answer of answers) expect(answer).toMatchObject({ roomId, externalRoomId, closed: true });
  });

  test("what a write did is kept for its repeats, and deleted later", async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    await open({ userId: newAnchor(), writeId: old });
    await open({ userId: newAnchor(), writeId: young });
    const age = limits.room.writesKeptMs + 60_000;
    const sql = "UPDATE t_room_write SET create_time = create_time - INTERVAL ? MICROSECOND WHERE write_id = ?";
    await database.run(sql, [age * 1_000, old]);
    const left = () =>
      database.query<{ write_id: string }>("SELECT write_id FROM t_room_write WHERE write_id IN (?)", [[old, young]]);
    await eventually("the old write is deleted", async () => (await left()).length === 1, 15_000);
    expect(await left()).toEqual([{ write_id: young }]);
  });

  test("closes at once close a room once, and write one event", async () => {
    const { room } = await open({ userId: newAnchor() });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => close({ roomId: room.roomId })));
    expect(outcomes.filter(({ closed }) => closed)).toHaveLength(1);
    const rows = await database.query("SELECT id FROM t_living_room_record WHERE id = ?", [room.roomId]);
    expect(rows).toHaveLength(1);
  });

  test("a closed room stays closed by either id; a room that never was is refused, and one id is needed", async () => {
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    const { roomId } = (await open({ userId, externalRoomId })).room;
    await call(caller, "living-room.close", { userId, roomId }, on(0));
    const closed = { roomId, anchorId: userId, externalRoomId, closed: false };
    expect(await close({ externalRoomId })).toEqual(closed);
    expect(await close({ roomId })).toEqual(closed);
    expect(await failureOf(close({ roomId: 999_999_999 }))).toBe("roomNotLive");
    expect(await failureOf(close({ externalRoomId: newExternalId() }))).toBe("roomNotLive");
    expect(await failureOf(close({}))).toBe("invalidParam");
    expect(await failureOf(close({ roomId, externalRoomId }))).toBe("invalidParam");
  });

  test("a room that the platform opened awaits its anchor, who is not absent until she has been there", async () => {
    const { room } = await open({ userId: newAnchor() });
    const [row] = await database.query("SELECT anchor_seen, away_since FROM t_living_room WHERE id = ?", [room.roomId]);
    expect(row).toMatchObject({ anchor_seen: 0, away_since: null });
  });
});

describe("the ids that a node keeps", () => {
  test("many are asked for in one call, and asked for again only where there was no live room", async () => {
    const calls: string[][] = [];
    const rooms = new ExternalRooms({
      async idsOfExternal(externalRoomIds) {
        calls.push(externalRoomIds);
        return externalRoomIds.filter((id) => id !== "none").map((id) => ({ externalRoomId: id, roomId: id.length }));
      },
      externalIdsOf: async () => [],
    });
    expect(await rooms.roomIdsOf(["a", "bb", "none", "a"])).toEqual(
      new Map([
        ["a", 1],
        ["bb", 2],
      ]),
    );
    expect(await rooms.roomIdOf("none")).toBeUndefined();
    expect(await rooms.roomIdOf("bb")).toBe(2);
    // What was found by one id is known by the other.
    expect(await rooms.externalIdsOf([1, 2])).toEqual(
      new Map([
        [1, "a"],
        [2, "bb"],
      ]),
    );
    expect(calls).toEqual([["a", "bb", "none"], ["none"]]);
  });

  test("a room that opens is found at once, and the next room of an id after the broadcast of the first one's end", async () => {
    const rooms = externalRooms(caller);
    const [userId, externalRoomId] = [newAnchor(), newExternalId()];
    expect(await rooms.roomIdOf(externalRoomId)).toBeUndefined();
    const first = (await open({ userId, externalRoomId })).room.roomId;
    expect(await rooms.roomIdOf(externalRoomId)).toBe(first);
    await close({ externalRoomId });
    rooms.forget(first);
    expect(await rooms.roomIdOf(externalRoomId)).toBeUndefined();
    expect(await rooms.lastRoomIdOf(externalRoomId)).toBe(first);
    const second = (await open({ userId, externalRoomId })).room.roomId;
    expect(await rooms.roomIdOf(externalRoomId)).toBe(second);
    expect(await rooms.lastRoomIdOf(externalRoomId)).toBe(second);
    expect(await rooms.lastRoomIdOf(newExternalId())).toBeUndefined();
    expect(await rooms.externalIdsOf([first, second])).toEqual(
      new Map([
        [first, externalRoomId],
        [second, externalRoomId],
      ]),
    );
  });
});
