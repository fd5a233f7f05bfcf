import { giftOf, orderOf } from "../../../../bench/burst/burst-gifts.ts";
import { outcome, type PartOfBurst } from "../../../../bench/burst/outcomes.ts";
import { type GiftRow, recordProblems } from "../../../../bench/burst/records.ts";
import { senderId } from "../../../../bench/support/seed.ts";

const rooms = 3;

function rowOf(n: number, over: Partial<GiftRow> = {}): GiftRow {
  const gift = giftOf(n, rooms);
  return {
    ...{ order_id: orderOf(n, gift), user_id: senderId(n), object_id: gift.receiverId, room_id: String(gift.roomId) },
    ...{ gift_id: String(gift.giftId), count: gift.count, status: 1 },
    ...over,
  };
}

function problemsOf(outcomes: number[], rows: GiftRow[], from = 10): string[] {
  const part = { from, outcomes: Uint8Array.from(outcomes) } as PartOfBurst;
  return recordProblems([part], rooms, rows);
}

const { accepted, refused, unknown, unsent, misnamed } = outcome;

describe("the records of the burst", () => {
  it("are those of the accepted gifts, none of the refused ones, and maybe those without a clear answer", () => {
    const outcomes = [accepted, refused, unknown, unknown, unsent, accepted];
    expect(problemsOf(outcomes, [rowOf(10), rowOf(12), rowOf(15)])).toEqual([]);
  });

  it.each<[string, number[], GiftRow[], number]>([
    ["an accepted gift has none", [accepted, accepted], [rowOf(10)], 1],
    ["a refused gift has one", [accepted, refused], [rowOf(10), rowOf(11)], 1],
    ["an unsent gift has one", [unsent], [rowOf(10)], 1],
    ["one did not succeed", [accepted], [rowOf(10, { status: 2 })], 1],
    ["one is of another user", [accepted], [rowOf(10, { user_id: senderId(11) })], 1],
    ["one is for another receiver", [accepted], [rowOf(10, { object_id: "1" })], 1],
    ["one has another room", [unknown], [rowOf(10, { room_id: "9" })], 1],
    ["one has another gift", [accepted], [rowOf(10, { gift_id: "1" })], 1],
    ["one has another count", [accepted], [rowOf(10, { count: 7 })], 1],
    [
      "two gifts changed places",
      [accepted, accepted],
      [rowOf(10, { user_id: senderId(11) }), rowOf(11, { user_id: senderId(10) })],
      1,
    ],
    ["an order has two", [accepted], [rowOf(10), rowOf(10)], 1],
    ["one is of no gift that was sent", [accepted], [rowOf(10), rowOf(11)], 1],
    ["a gift was answered with another order's id", [misnamed], [rowOf(10)], 1],
    ["of each kind", [accepted, accepted, refused], [rowOf(12), rowOf(13)], 3],
  ])("are wrong where %s", (_what, outcomes, rows, problems) => {
    expect(problemsOf(outcomes, rows)).toHaveLength(problems);
  });
});
