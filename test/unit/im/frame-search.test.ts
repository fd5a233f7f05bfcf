import { numberedFrame, unnumberedFrame } from "../../../services/im-frames.ts";
import { giftFrame } from "../../../services/im-router/frame-search.ts";

/** Finding the frame of a gift in a room's history. */

const redisOf = (frames: readonly string[]) => ({ zrange: async () => frames }) as never;

let last = 0;
const frameOf = (data: Record<string, unknown>, bizCode = 5556) =>
  numberedFrame(unnumberedFrame(7, { msgId: `m-${++last}`, userId: "0", bizCode, data }), last, "ab12");
const giftsOf = (...orderIds: string[]) => ({ gifts: [{ orderIds, senderId: "1", count: 1 }] });

test("the frame of a gift is found by its order, also where it was merged with others, and the first of two", async () => {
  const frames = [frameOf(giftsOf("o-1")), frameOf(giftsOf("o-2", "o-3")), frameOf(giftsOf("o-3"))];
  const seqs = frames.map((frame) => JSON.parse(frame).body.data.seq as number);
  expect(await giftFrame(redisOf(frames), 7, "o-3")).toEqual({ seq: seqs[1], epoch: "ab12" });
  expect(await giftFrame(redisOf(frames), 7, "o-1")).toEqual({ seq: seqs[0], epoch: "ab12" });
});

test("an order that stands in a chat, or is a part of another's id, has no frame", async () => {
  const frames = [
    frameOf({ content: '"orderIds":["o-1"] o-1' }, 5555),
    frameOf(giftsOf("o-12")),
    'no JSON, with "o-1"',
    '{"body":{"data":{"gifts":"o-1"}}}',
    '{"body":{"data":{"gifts":[{"orderIds":["o-1"]}]}}}',
    '"o-1"',
  ];
  expect(await giftFrame(redisOf(frames), 7, "o-1")).toBeNull();
  expect(await giftFrame(redisOf([]), 7, "o-1")).toBeNull();
});

test("without Redis it is not known, which is not the same as not there", async () => {
  const redis = { zrange: async () => Promise.reject(new Error("Connection is closed.")) } as never;
  await expect(giftFrame(redis, 7, "o-1")).rejects.toMatchObject({ type: "unavailable" });
});
