import { idsNamedIn, withExternalIds } from "../../services/external-names.ts";

const value = {
  userId: "1",
  gifts: [
    { senderId: "2", receiverId: "3", roomId: 5, time: null },
    { senderId: "2", receiverId: "4", roomId: -1 },
  ],
  anchor: { anchorId: "4", anchorExternalId: "kept" },
  id: "9",
};

test("the ids of users and rooms are found wherever they are, each once", () => {
  expect(idsNamedIn(value)).toEqual({ userIds: ["1", "2", "3", "4"], roomIds: [5] });
  expect(idsNamedIn(null)).toEqual({ userIds: [], roomIds: [] });
});

test("external ids stand beside the ids of those who have one, and what is there stays", () => {
  const before = JSON.stringify(value);
  const users = new Map([
    ["1", "a"],
    ["2", "b"],
    ["4", "d"],
  ]);
  expect(withExternalIds(value, { users, rooms: new Map([[5, "room"]]) })).toEqual({
    ...{ userId: "1", externalId: "a", id: "9" },
    gifts: [
      { senderId: "2", senderExternalId: "b", receiverId: "3", roomId: 5, externalRoomId: "room", time: null },
      { senderId: "2", senderExternalId: "b", receiverId: "4", receiverExternalId: "d", roomId: -1 },
    ],
    anchor: { anchorId: "4", anchorExternalId: "kept" },
  });
  expect(JSON.stringify(value)).toBe(before);
});

test("a field named as Object's own is like any other", () => {
  const odd = JSON.parse('{"constructor":"1","toString":{"userId":"1"}}') as object;
  expect(withExternalIds(odd, { users: new Map([["1", "a"]]), rooms: new Map() })).toEqual({
    ...{ constructor: "1", toString: { userId: "1", externalId: "a" } },
  });
});
