import { randomUUID } from "node:crypto";
import type { ServiceBroker as Broker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { natsPrefix } from "../../../config/config.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { call } from "../../../services/contracts.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What staff look up of rooms, and closing one, over two living-room nodes. */

const fakes = [
  {
    name: "user",
    actions: {
      profile: ({ params }: { params: object }) => ({ ...params, nickName: "小鱼", avatar: "" }),
      bannedAmong: () => ({ userIds: [] }),
    },
  },
  { name: "wallet", actions: { unusableOf: () => ({ userIds: [] }) } },
  { name: "im-router", actions: { closeRoom: () => null } },
] as unknown as ServiceSchema[];

let nodes: [Broker, Broker];
let caller: Broker;

beforeAll(async () => {
  caller = await startNode("caller", fakes);
  nodes = [await startNode("room-1", [livingRoom]), await startNode("room-2", [livingRoom])];
  await Promise.all(nodes.map((node) => node.waitForServices(["user", "im-router", "wallet"])));
  await Promise.all(nodes.map((node) => waitForNode(caller, "living-room", node.nodeID)));
});
afterAll(stopAll);

let anchors = 0n;
const newAnchor = () => String(372_345_678_900_000_000n + ++anchors);
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const open = async (userId: string, externalRoomId?: string) =>
  (await call(caller, "living-room.openForPlatform", { userId, externalRoomId, type: 1, writeId: randomUUID() }, on(0)))
    .room;
const close = (roomId: number, node: 0 | 1 = 0, reason = "spam") =>
  call(caller, "living-room.closeForStaff", { roomId, reason, operator: "staff:ann" }, on(node));
const room = (roomId: number) => call(caller, "living-room.roomForStaff", { roomId }, on(1));
const failureOf = (promise: Promise<unknown>) => promise.then(() => "none", failureName);

async function closedEvents(roomId: number): Promise<Record<string, unknown>[]> {
  const { jetstream } = nodes[0].getLocalService("living-room") as unknown as JetStreamState;
  const stream = await jetstream.client.streams.get(`${natsPrefix()}EVENTS`);
  const { state } = await stream.info();
  const found: Record<string, unknown>[] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const event = (await stream.getMessage({ seq })).json<{ id: string; data: Record<string, unknown> }>();
    if (event.id === `room.closed:${roomId}`) found.push(event.data);
  }
  return found;
}

test("a room that staff close is closed on every node, and who closed it and why is in its record and its event", async () => {
  const anchorId = newAnchor();
  const { roomId } = await open(anchorId);
  expect(await room(roomId)).toMatchObject({ roomId, anchorId, live: true, endTime: null, closedBy: null });
  expect(await call(caller, "living-room.find", { roomId }, on(1))).not.toBeNull();
  expect(await close(roomId)).toEqual({ roomId, anchorId, closed: true });
  await eventually("the other node knows", async () => !(await call(caller, "living-room.find", { roomId }, on(1))));
  const closed = { live: false, closedBy: "staff:ann", closeReason: "spam", endTime: expect.any(String) };
  expect(await room(roomId)).toMatchObject(closed);
  const events = await eventually("the event", async () => {
    const found = await closedEvents(roomId);
    return found.length > 0 ? found : undefined;
  });
  expect(events).toMatchObject([{ roomId, anchorId, closedBy: "staff:ann", reason: "spam" }]);
});

test("of many calls one closes a room, a repeat keeps its reason, and a room that never was is unknown", async () => {
  const { roomId } = await open(newAnchor());
  const all = await Promise.all([0, 1, 0, 1].map((node, n) => close(roomId, node as 0 | 1, `reason ${n}`)));
  expect(all.filter(({ closed }) => closed)).toHaveLength(1);
  const { closeReason } = await room(roomId);
  expect(await close(roomId, 1, "another")).toMatchObject({ closed: false });
  expect((await room(roomId)).closeReason).toBe(closeReason);
  expect(await failureOf(close(999_999_999))).toBe("roomNotLive");
  expect(await failureOf(room(999_999_999))).toBe("roomNotLive");
  expect(await failureOf(close(roomId, 0, ""))).toBe("invalidParam");
});

test("what the anchor or the platform closes has nobody of the staff", async () => {
  const anchorId = newAnchor();
  const { roomId } = await open(anchorId);
  await call(caller, "living-room.closeForPlatform", { roomId, writeId: randomUUID() }, on(0));
  expect(await room(roomId)).toMatchObject({ live: false, closedBy: null, closeReason: null });
  const [event] = await eventually("the event", async () => {
    const found = await closedEvents(roomId);
    return found.length > 0 ? found : undefined;
  });
  expect(event).not.toHaveProperty("closedBy");
});

test("an anchor's rooms are listed page by page, the live one first, each once", async () => {
  const anchorId = newAnchor();
  const rooms: number[] = [];
  for (let n = 0; n < 5; n++) {
    const { roomId } = await open(anchorId);
    rooms.unshift(roomId);
    if (n < 4) await close(roomId);
  }
  await open(newAnchor());
  const seen: { roomId: number; live: boolean }[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 3; pages++) {
    const params = { userId: anchorId, cursor, limit: 2 };
    const { list, nextCursor } = await call(caller, "living-room.roomsOfAnchor", params, on(1));
    seen.push(...list);
    cursor = nextCursor ?? undefined;
    expect(nextCursor === null).toBe(pages === 2);
  }
  expect(seen.map(({ roomId }) => roomId)).toEqual(rooms);
  expect(seen.map(({ live }) => live)).toEqual([true, false, false, false, false]);
});

test("by the platform's id the live room and the last closed one are found, and no older one", async () => {
  const externalRoomId = `room ${randomUUID()}`;
  const ids: number[] = [];
  for (let n = 0; n < 3; n++) {
    const { roomId } = await open(newAnchor(), externalRoomId);
    ids.push(roomId);
    if (n < 2) await close(roomId);
  }
  const { list } = await call(caller, "living-room.roomsOfExternal", { externalRoomId }, on(1));
  expect(list.map(({ roomId, live }) => [roomId, live])).toEqual([
    [ids[2], true],
    [ids[1], false],
  ]);
  expect((await call(caller, "living-room.roomsOfExternal", { externalRoomId: randomUUID() }, on(1))).list).toEqual([]);
});
