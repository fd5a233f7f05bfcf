import fc from "fast-check";
import { boardName, type CountedGift, countedGift, kinds, Totals } from "../../../services/rank/boards.ts";
import { Calendar } from "../../../services/rank/periods.ts";

const now = Date.parse("2026-11-26T12:00:00Z");
const calendar = new Calendar("UTC");
const one: CountedGift = { recordId: 1, senderId: "5", receiverId: "77", roomId: 3, coins: 10, timeMs: now };
const totalsOf = (gifts: readonly CountedGift[]) => {
  const totals = new Totals(calendar, now);
  for (const gift of gifts) totals.add(gift);
  return totals;
};

test("a gift is on the board of its room, four of its anchor, and eight of everybody", () => {
  const shown = totalsOf([one])
    .sorted()
    .map((total) => `${boardName(total)}: ${total.userId}`);
  expect(shown).toEqual([
    "room 3: 5",
    "anchor 77, day 20261126: 5",
    "anchor 77, week 20261123: 5",
    "anchor 77, month 202611: 5",
    "anchor 77, all time: 5",
    "anchors, day 20261126: 77",
    "anchors, week 20261123: 77",
    "anchors, month 202611: 77",
    "anchors, all time: 77",
    "senders, day 20261126: 5",
    "senders, week 20261123: 5",
    "senders, month 202611: 5",
    "senders, all time: 5",
  ]);
});

test("a sum is reached at the time of the latest gift that counts, in whatever order the gifts come", () => {
  const gifts = [3, 1, 2].map((n) => ({ ...one, timeMs: now - n }));
  const board = { kind: kinds.room.all, period: 0, scope: "3" };
  expect(totalsOf(gifts).take(board, "5")).toMatchObject({ coins: 30, reachedMs: now - 1 });
  expect(totalsOf(gifts.toReversed()).take(board, "5")).toMatchObject({ coins: 30, reachedMs: now - 1 });
});

test("a late gift is not on boards of periods that are kept no longer", () => {
  const day = 24 * 3_600_000;
  const spansAt = (timeMs: number) =>
    totalsOf([{ ...one, timeMs }])
      .sorted()
      .filter(({ kind }) => kind >= kinds.senders.day)
      .map(({ kind }) => kind - kinds.senders.day);
  expect([7, 8, 40, 100].map((days) => spansAt(now - days * day))).toEqual([[0, 1, 2, 3], [1, 2, 3], [2, 3], [3]]);
});

test("a sum that is taken is not there any more, and is not counted", () => {
  const totals = totalsOf([one, { ...one, senderId: "6" }]);
  const board = { kind: kinds.senders.all, period: 0, scope: "0" };
  const { size } = totals;
  expect(totals.take(board, "5")).toMatchObject({ ...board, userId: "5", coins: 10 });
  expect([totals.take(board, "5"), totals.take({ ...board, scope: "1" }, "6")]).toEqual([undefined, undefined]);
  expect([totals.size, [...totals.all()].length]).toEqual([size - 1, size - 1]);
});

test("sums are in the order of the primary key, ids beyond 2^53 as numbers: two batches lock rows in one order", () => {
  const id = fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }));
  fc.assert(
    fc.property(fc.array(fc.tuple(id, id, fc.nat(3)), { maxLength: 30 }), (drawn) => {
      const gifts = drawn.map(([sender, receiver, roomId], n) => ({
        ...one,
        ...{ recordId: n, senderId: String(sender), receiverId: String(receiver), roomId: roomId + 1 },
      }));
      const keys = totalsOf(gifts)
        .sorted()
        .map(({ kind, period, scope, userId }) => [BigInt(kind), BigInt(period), BigInt(scope), BigInt(userId)]);
      for (const [n, key] of keys.entries()) {
        const next = keys[n + 1];
        const at = next ? key.findIndex((part, place) => part !== next[place]) : -1;
        if (next) expect(at >= 0 && (key[at] as bigint) < (next[at] as bigint)).toBe(true);
      }
    }),
  );
});

test("a sum of a batch beyond the largest safe integer is refused, and names its board and user", () => {
  const most = { ...one, coins: Number.MAX_SAFE_INTEGER };
  expect(() => totalsOf([most, { ...one, coins: 1 }])).toThrow(/user 5 on the board room 3 would exceed 2\^53/);
});

test("coins, times and record ids that are not usable are refused, and name the order", () => {
  const settled = {
    ...{ orderId: "o-1", status: "succeeded" as const, senderId: "5", receiverId: "77", roomId: 3, giftId: 22 },
    ...{ count: 2, price: 5, income: 0, incomePoints: 0, type: 0, url: "", time: "2026-11-26T12:00:00.000Z" },
    recordId: "9",
  };
  expect(countedGift(settled)).toEqual({ ...one, recordId: 9 });
  for (const odd of [{ price: Number.MAX_SAFE_INTEGER }, { time: "yesterday" }, { recordId: "18446744073709551615" }])
    expect(() => countedGift({ ...settled, ...odd })).toThrow(/gift o-1/);
});
