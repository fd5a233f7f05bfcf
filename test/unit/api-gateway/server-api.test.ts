import { z } from "zod";
import { requireOneOfEach, resolved } from "../../../services/api-gateway/server/people.ts";
import { serverEndpoint } from "../../../services/api-gateway/server/server-endpoint.ts";
import { canonicalJson, fingerprintOf, writeIdOf } from "../../../services/api-gateway/server/write-content.ts";

const directory = {
  userIdOf: async (externalId: string) => ({ lin: "7", mei: "8" })[externalId],
  roomIdOf: async (externalRoomId: string) => (externalRoomId === "hall" ? 5 : undefined),
  lastRoomIdOf: async (externalRoomId: string) => ({ hall: 5, "last year's": 3 })[externalRoomId],
  externalIdsOf: async (userIds: readonly string[]) => new Map(userIds.includes("7") ? [["7", "lin"]] : []),
  externalRoomIdsOf: async () => new Map([[5, "hall"]]),
};
const refers = { userId: "user", receiverId: "user", roomId: "room?" } as const;

test("content is the same in whatever order and spelling its fields come, and another one for another path or value", () => {
  expect(canonicalJson({ b: [1, { d: null, c: undefined }], a: "ü" })).toBe('{"a":"ü","b":[1,{"d":null}]}');
  const print = fingerprintOf("/p", { a: 1, b: 2 });
  expect(print).toMatch(/^[0-9a-f]{32}$/);
  expect(fingerprintOf("/p", { b: 2, a: 1 })).toBe(print);
  for (const [path, params] of [
    ["/q", { a: 1, b: 2 }],
    ["/p", { a: 1, b: "2" }],
    ["/p", { a: 1 }],
  ] as const)
    expect(fingerprintOf(path, params)).not.toBe(print);
});

test("the id of a write is a UUID that its idempotency key decides", () => {
  expect(writeIdOf("write-0001")).toBe(writeIdOf("write-0001"));
  expect(writeIdOf("write-0001")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(writeIdOf("write-0001")).not.toBe(writeIdOf("write-0002"));
});

test.each([
  [{ userId: "7", receiverExternalId: "mei" }, true],
  [{ externalId: "lin", receiverId: "8", externalRoomId: "hall" }, true],
  [{ externalId: "lin" }, false],
  [{ userId: "7", externalId: "lin", receiverId: "8" }, false],
  [{ userId: "7", receiverId: "8", roomId: 5, externalRoomId: "hall" }, false],
])("%j names each of sender, receiver and room at most once, those that are needed once: %s", (params, right) => {
  const check = () => requireOneOfEach(refers, params);
  if (right) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ type: "invalidParam" }));
});

test("external ids become ids, and who is unknown is refused by kind", async () => {
  const params = { externalId: "lin", receiverId: "8", externalRoomId: "hall", count: 2 };
  expect(await resolved(refers, params, directory)).toEqual({ userId: "7", receiverId: "8", roomId: 5, count: 2 });
  await expect(resolved(refers, { externalId: "x" }, directory)).rejects.toMatchObject({ type: "userUnknown" });
  await expect(resolved(refers, { externalRoomId: "x" }, directory)).rejects.toMatchObject({ type: "roomNotLive" });
});

test("where a closed room will do, an external id means the live room or the last one, and stays beside the id", async () => {
  const last = { roomId: "lastRoom" } as const;
  expect(await resolved(last, { externalRoomId: "hall" }, directory)).toEqual({ roomId: 5, externalRoomId: "hall" });
  const past = { externalRoomId: "last year's" };
  expect(await resolved(last, past, directory)).toEqual({ roomId: 3, ...past });
  await expect(resolved({ roomId: "room" }, past, directory)).rejects.toMatchObject({ type: "roomNotLive" });
  await expect(resolved(last, { externalRoomId: "x" }, directory)).rejects.toMatchObject({ type: "roomNotLive" });
  expect(() => requireOneOfEach(last, {})).toThrow(expect.objectContaining({ type: "invalidParam" }));
});

test("an endpoint takes both names of whom it is about, runs with the ids and answers with both", async () => {
  const endpoint = serverEndpoint({
    ...{ path: "gifts/try", summary: "", scope: "gifts:send", write: true, refers },
    params: { count: z.int() },
    result: z.object({ receiverId: z.string(), roomId: z.int() }),
    failures: ["balanceShort"],
    run: (_ctx, { userId, receiverId, roomId = 0 }, { writeId }) => ({
      receiverId: userId,
      roomId,
      given: [receiverId, writeId],
    }),
  });
  expect(endpoint.path).toBe("/live/server/v1/gifts/try");
  expect(endpoint.fields).toEqual([
    ...["userId", "externalId", "receiverId", "receiverExternalId", "roomId", "externalRoomId", "count"],
  ]);
  expect(endpoint.failures).toEqual(["balanceShort", "userUnknown", "roomNotLive", "idempotencyConflict"]);
  const params = endpoint.check({ externalId: "lin", receiverId: 8, externalRoomId: "hall", count: 1 });
  const caller = { language: "zh", keyId: "k", apiKey: "", idempotencyKey: "i", writeId: "w" } as const;
  expect(await endpoint.carryOut({} as never, params, caller, directory)).toEqual({
    ...{ receiverId: "7", receiverExternalId: "lin", roomId: 5, externalRoomId: "hall", given: ["8", "w"] },
  });
});
