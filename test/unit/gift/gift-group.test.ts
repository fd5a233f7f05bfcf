import { readItems } from "../../../mixins/jetstream/split.ts";
import {
  type AcceptedGift,
  contentHashOf,
  giftTimeMs,
  parseAcceptedGift,
} from "../../../services/gift/accepted-gift.ts";
import { giftReading, giftsOf, groupText, marker } from "../../../services/gift/gift-group.ts";

const request = { giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const gift: AcceptedGift = {
  ...{ orderId: "o1", senderId: "5", receiverId: "77", roomId: 5, giftId: 22, count: 3, price: 90, sharePercent: 40 },
  ...{ type: 0, url: "x.svga", contentHash: contentHashOf(request), acceptedAt: "2026-01-01T00:00:00.000Z" },
};
const other = { ...gift, orderId: "o2" };

describe("a message of the gift queue", () => {
  test("has the gifts that were accepted together, in their order", () => {
    const message = JSON.parse(groupText([gift, other].map((one) => JSON.stringify(one))));
    expect(message).toEqual({ gifts: [gift, other] });
    expect(giftsOf(message)).toEqual([gift, other]);
    expect(giftsOf({ v: 1, keyId: "k1", sig: "s", ...message })).toEqual([gift, other]);
  });

  test("of a gift that failed alone is a group of one, with the time of its first message, also after a second failure", () => {
    const [first, later] = [Date.parse("2026-01-01T00:00:01.234Z"), Date.parse("2026-01-05T00:00:00.000Z")];
    const alone = giftReading.split.alone(gift, first);
    expect(alone).toEqual({ gifts: [{ ...gift, storedAt: "2026-01-01T00:00:01.234Z" }] });
    const [read] = giftsOf(alone).map(parseAcceptedGift) as [AcceptedGift];
    expect(giftTimeMs(read, later)).toBe(first);
    expect(giftReading.split.alone(read, later)).toEqual(alone);
    expect(giftTimeMs(gift, later)).toBe(later);
  });

  test("that is a marker has no gifts, and one with gifts is no marker", () => {
    const bytes = (data: unknown) => new TextEncoder().encode(JSON.stringify(data));
    expect(readItems(bytes({ v: 1, keyId: "k1", sig: "s", ...marker }), giftReading, "S:d:7")).toEqual([]);
    expect(readItems(bytes({ gifts: [gift] }), giftReading, "S:d:7")).toHaveLength(1);
  });

  test.each([null, 7, "x", [], [gift], {}, gift, { gifts: [] }, { gifts: {} }])(
    "cannot be read where it is no group: %j",
    (data) => {
      expect(() => giftsOf(data)).toThrow(/it is/);
    },
  );
});
