import { numberedFrame, unnumberedFrame } from "../../../services/im-frames.ts";
import { roomChat } from "../../../services/im-router/chat-history.ts";

/** The chat of a room, as its history has it. */

const redisOf = (frames: readonly string[]) => ({ zrange: async () => frames }) as never;

let last = 0;
const frameOf = (data: Record<string, unknown>, { bizCode = 5555, userId = "77", msgId = `m-${++last}` } = {}) =>
  numberedFrame(unnumberedFrame(7, { msgId, userId, bizCode, data }), ++last, "ab12");

test("what was said comes newest first, with its sender and the id by which it is removed", async () => {
  const frames = [
    frameOf({ content: "one" }, { msgId: "a" }),
    frameOf({ content: "two" }, { msgId: "b", userId: "8" }),
  ];
  expect(await roomChat(redisOf(frames), 7)).toEqual([
    { msgId: "b", senderId: "8", text: "two" },
    { msgId: "a", senderId: "77", text: "one" },
  ]);
});

test("gifts, removals, and what nobody could act on are left out", async () => {
  const frames = [
    frameOf({ gifts: [] }, { bizCode: 5556, userId: "0" }),
    frameOf({ msgId: "a" }, { bizCode: 5564, userId: "0" }),
    frameOf({ content: 5 }),
    frameOf({ content: "of no user" }, { userId: "0" }),
    frameOf({ content: "of no id" }, { msgId: "a b" }),
    ...["no JSON", '"text"', "null", '{"body":{"bizCode":5555}}'],
  ];
  expect(await roomChat(redisOf(frames), 7)).toEqual([]);
});

test("without Redis it is not known, which is not the same as nothing said", async () => {
  const redis = { zrange: async () => Promise.reject(new Error("Connection is closed.")) } as never;
  await expect(roomChat(redis, 7)).rejects.toMatchObject({ type: "unavailable" });
});
