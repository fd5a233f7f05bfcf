import { Unreadable } from "../../../mixins/jetstream/unreadable.ts";
import { callsOf, namedIn } from "../../../services/webhook/event-calls.ts";

const nobody = { users: new Map<string, string>(), rooms: new Map<number, string>() };
const gift = (n: number, roomId = 1, senderId = "11") => ({ orderId: `o${n}`, roomId, senderId, receiverId: "12" });
const settled = (gifts: object[], id = "gift.settled:1") => ({
  ...{ id, name: "gift.settled", time: "2026-11-26T12:00:00.000Z", data: { gifts } },
});
const giftsOf = ({ body }: { body: string }) =>
  (JSON.parse(body).data.gifts as { orderId: string }[]).map((g) => g.orderId);

test("an event is one call, with its id, type, time and data", () => {
  const event = { id: "room.opened:1", name: "room.opened", time: "t", data: { roomId: 1, anchorId: "12" } };
  const ids = { users: new Map([["12", "Änne"]]), rooms: new Map([[1, "r"]]) };
  const [call, ...others] = callsOf(event, "none", ids);
  expect(others).toEqual([]);
  expect(JSON.parse(call?.body as string)).toEqual({
    ...{ id: call?.messageId, type: "room.opened", timestamp: "t" },
    data: { roomId: 1, externalRoomId: "r", anchorId: "12", anchorExternalId: "Änne" },
  });
  expect(call?.bytes).toBe(Buffer.byteLength(call?.body as string));
  expect(call?.messageId).toMatch(/^msg_[\w-]{30}$/);
  expect(namedIn([event])).toEqual({ userIds: ["12"], roomIds: [1] });
});

test("gifts are cut into calls of at most a hundred, in their order, each with an id of its own that a repeat has too", () => {
  const gifts = Array.from({ length: 201 }, (_, n) => gift(n));
  const calls = callsOf(settled(gifts), "none", nobody);
  expect(calls.map((call) => giftsOf(call).length)).toEqual([100, 100, 1]);
  expect(calls.flatMap(giftsOf)).toEqual(gifts.map(({ orderId }) => orderId));
  const ids = (id?: string) => callsOf(settled(gifts, id), "none", nobody).map(({ messageId }) => messageId);
  expect(new Set([...ids(), ...ids("gift.settled:2")]).size).toBe(6);
  expect(ids()).toEqual(calls.map(({ messageId }) => messageId));
});

test("ordered by room or user, a call has the gifts of one alone, in their order", () => {
  const gifts = [gift(1, 1, "11"), gift(2, 2, "11"), gift(3, 1, "22"), gift(4, 2, "22"), gift(5, 1, "11")];
  const shown = (orderBy: "room" | "user") =>
    callsOf(settled(gifts), orderBy, nobody).map((call) => [call.orderKey, ...giftsOf(call)]);
  expect(shown("room")).toEqual([
    ["1", "o1", "o3", "o5"],
    ["2", "o2", "o4"],
  ]);
  expect(shown("user")).toEqual([
    ["11", "o1", "o2", "o5"],
    ["22", "o3", "o4"],
  ]);
  const all = (["none", "room", "user"] as const).flatMap((orderBy) => callsOf(settled(gifts), orderBy, nobody));
  expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(all.length);
});

test.each([
  [{ roomId: 7, anchorId: "12" }, "7", "12"],
  [{ userId: "11", orderId: "x" }, "", "11"],
  [
    {
      sides: [
        { roomId: 3, userId: "31" },
        { roomId: 4, userId: "41" },
      ],
    },
    "3",
    "31",
  ],
  [{ webhookId: "1" }, "", ""],
])("the order of %p is that of room %p, of user %p", (data, room, user) => {
  const keyOf = (orderBy: "none" | "room" | "user") =>
    callsOf({ id: "e:1", name: "e", time: "t", data }, orderBy, nobody)[0];
  expect([keyOf("none"), keyOf("room"), keyOf("user")].map((call) => call?.orderKey)).toEqual(["", room, user]);
  // One message for all subscriptions.
  expect(keyOf("room")?.messageId).toBe(keyOf("none")?.messageId);
});

test("a body beyond the bound is refused", () => {
  const event = { id: "e:1", name: "e", time: "t", data: { text: "好".repeat(200_000) } };
  expect(() => callsOf(event, "none", nobody)).toThrow(Unreadable);
});
