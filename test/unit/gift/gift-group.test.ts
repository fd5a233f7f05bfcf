import { type AcceptedGift, contentHashOf } from "../../../services/gift/accepted-gift.ts";
import { giftsOf, groupOf } from "../../../services/gift/gift-group.ts";

const request = { giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const gift: AcceptedGift = {
  ...{ orderId: "o1", senderId: "5", receiverId: "77", roomId: 5, giftId: 22, count: 3, price: 90, sharePercent: 40 },
  ...{ type: 0, url: "x.svga", contentHash: contentHashOf(request), acceptedAt: "2026-01-01T00:00:00.000Z" },
};
const other = { ...gift, orderId: "o2" };

describe("a message of the gift queue", () => {
  test("has the gifts that were accepted together, in their order, and a place for a signature", () => {
    const message = JSON.parse(JSON.stringify(groupOf([gift, other])));
    expect(message).toEqual({ v: 1, keyId: "", sig: "", gifts: [gift, other] });
    expect(giftsOf(message)).toEqual([gift, other]);
  });

  test("may be a single gift, as an earlier release wrote it", () => {
    expect(giftsOf(gift)).toEqual([gift]);
  });

  test.each([
    null,
    7,
    "x",
    [],
    [gift],
    {},
    { v: 2, gifts: [gift] },
    { v: 1 },
    { v: 1, gifts: [] },
    { v: 1, gifts: {} },
  ])("cannot be read where it is neither: %j", (data) => {
    expect(() => giftsOf(data)).toThrow(/it is/);
  });
});
