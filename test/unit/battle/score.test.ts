import { flooredMs } from "../../../services/battle/clock.ts";
import { compareIds, counts, sideOf, sumsOf, winnerOf } from "../../../services/battle/score.ts";

const side = (userId: string, score: number, deserted = false) => ({ userId, score, deserted });

describe("the winner", () => {
  test.each([
    ["the higher score wins", side("1", 5), side("2", 4), "1"],
    ["equal scores are a draw", side("1", 5), side("2", 5), null],
    ["no gifts are a draw", side("1", 0), side("2", 0), null],
    ["who was away loses, whatever the scores", side("1", 500, true), side("2", 0), "2"],
    ["who was away loses on the other side too", side("1", 0), side("2", 500, true), "1"],
    ["where both were away nobody wins", side("1", 5, true), side("2", 4, true), null],
  ])("%s", (_what, first, second, winner) => {
    expect(winnerOf([first, second])).toBe(winner);
  });
});

test("a gift counts from the start until before the end, by its time", () => {
  const times = { start: 100, end: 200 };
  expect([99, 100, 199, 200].map((time) => counts(time, times))).toEqual([false, true, true, false]);
  expect(counts(100, { start: null, end: null })).toBe(false);
  expect(counts(Number.NaN, times)).toBe(false);
});

test("a gift goes to the side whose room and receiver it has", () => {
  const sides = [
    { roomId: 1, userId: "1" },
    { roomId: 1, userId: "2" },
  ];
  const battle = { battleId: "1", durationMs: 1, start: 0, end: 1, sides };
  expect(sideOf(battle, { roomId: 1, receiverId: "2" })).toBe(1);
  expect(sideOf(battle, { roomId: 2, receiverId: "2" })).toBeUndefined();
  expect(sideOf(battle, { roomId: 1, receiverId: "3" })).toBeUndefined();
});

test("sums are by battle and side, in the order of the ids as numbers", () => {
  const gift = (battleId: string, at: number, coins: number) => ({ battleId, side: at, recordId: "1", coins });
  expect(sumsOf([gift("10", 1, 5), gift("9", 0, 1), gift("10", 0, 2), gift("10", 1, 3)])).toEqual([
    { battleId: "9", side: 0, coins: 1, gifts: 1 },
    { battleId: "10", side: 0, coins: 2, gifts: 1 },
    { battleId: "10", side: 1, coins: 8, gifts: 2 },
  ]);
  expect(["100", "9", "18446744073709551615", "20"].sort(compareIds)).toEqual([
    "9",
    "20",
    "100",
    "18446744073709551615",
  ]);
});

test("a timestamp of JetStream is rounded down to milliseconds", () => {
  const at = Date.UTC(2026, 10, 26, 16, 27, 34);
  const ms = ["", ".1", ".123", ".1239999", ".000999999", ".999999999"].map(
    (fraction) => flooredMs(`2026-11-26T16:27:34${fraction}Z`) - at,
  );
  expect(ms).toEqual([0, 100, 123, 123, 0, 999]);
  expect(() => flooredMs("2026-11-26 16:27:34")).toThrow("not a timestamp");
});
