import { type SettledMessage, scoreLags } from "../../../bench/battle/score-lags.ts";

const settled = (at: number, coins: Record<string, number>): SettledMessage => {
  return { at, coins: new Map(Object.entries(coins)) };
};
const frame = (roomId: number, at: number, scores: Record<string, number>) => ({ roomId, battleId: "1", at, scores });

describe("the lags of live scores", () => {
  it("run from a message to the first frame whose score has all its gifts, for each viewer", () => {
    const messages = [settled(1_000, { a: 90 }), settled(1_050, { a: 90, b: 90 })];
    const frames = [
      frame(1, 1_100, { a: 90, b: 0 }),
      frame(1, 1_200, { a: 180, b: 90 }),
      frame(2, 1_110, { a: 180, b: 90 }),
    ];
    const rooms = new Map([
      ["a", [1, 2]],
      ["b", [1, 2]],
    ]);
    expect(scoreLags(messages, frames, rooms)).toEqual({ lagsMs: [100, 110, 150, 60, 150, 60], unseen: 0 });
  });

  it("count what no frame shows, and leave out who is in no battle", () => {
    const messages = [settled(1_000, { a: 90, stranger: 90 }), settled(2_000, { a: 90 })];
    const rooms = new Map([["a", [1]]]);
    expect(scoreLags(messages, [frame(1, 1_010, { a: 90 })], rooms)).toEqual({ lagsMs: [10], unseen: 1 });
  });

  it("of messages from before the measurement are left out, and their gifts are in the sums", () => {
    const messages = [settled(1_000, { a: 90 }), settled(2_000, { a: 90 }), settled(3_000, { a: 90 })];
    const frames = [frame(1, 2_020, { a: 90 }), frame(1, 2_040, { a: 180 })];
    expect(scoreLags(messages, frames, new Map([["a", [1]]]), 1_500)).toEqual({ lagsMs: [40], unseen: 1 });
  });

  it("take frames in the order of their arrival", () => {
    const frames = [frame(1, 1_300, { a: 180 }), frame(1, 1_100, { a: 90 })];
    const messages = [settled(1_000, { a: 90 })];
    expect(scoreLags(messages, frames, new Map([["a", [1]]])).lagsMs).toEqual([100]);
  });
});
