import fc from "fast-check";
import { v5, validate, version } from "uuid";
import { limits } from "../../../config/limits.ts";
import {
  type AcceptedGift,
  contentHashOf,
  parseAcceptedGift,
  partitionOf,
} from "../../../services/gift/accepted-gift.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";

const request = { giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const gift: AcceptedGift = {
  ...{ orderId: "o1", senderId: "9007199254740993", receiverId: "77", roomId: 5, giftId: 22, count: 3, price: 90 },
  sharePercent: 40,
  ...{ type: 0, url: "x.svga", contentHash: contentHashOf(request), acceptedAt: "2026-01-01T00:00:00.000Z" },
};

describe("an accepted gift", () => {
  test("the order id of a user's request id is the same for ever, a version 5 UUID, and nobody else's", () => {
    const id = orderIdOf("9007199254740993", "click-0001");
    expect(id).toBe("a8d17de1-f739-5fed-b7fc-249efa625e85");
    expect([validate(id), version(id)]).toEqual([true, 5]);
    expect(id).not.toBe(orderIdOf("9007199254740993", "click-0002"));
    expect(id).not.toBe(orderIdOf("9007199254740992", "click-0001"));
  });

  test("the order id is that of the RFC's version 5, whatever the names", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (userId, requestId) => {
        const byPackage = v5(`${userId}:${requestId}`.toWellFormed(), "5b1d7a3e-9c0f-4e6d-8a2b-4c6e8f013579");
        expect(orderIdOf(userId, requestId)).toBe(byPackage);
      }),
    );
  });

  test.each([{ giftId: 23 }, { roomId: 6 }, { receiverId: "78" }, { type: 1 }, { count: 4 }])(
    "other content has another hash: %p",
    (change) => {
      expect(contentHashOf({ ...request, ...change })).not.toBe(contentHashOf(request));
    },
  );

  test("all gifts of a sender share a partition", () => {
    expect(partitionOf("9007199254740993")).toBe(partitionOf("9007199254740993"));
    expect(partitionOf("18446744073709551615")).toBeLessThan(limits.gift.sendPartitions);
    expect(limits.gift.sendPartitions).toBeLessThanOrEqual(limits.gift.partitions);
  });

  test("what was accepted can be settled", () => {
    expect(parseAcceptedGift(JSON.parse(JSON.stringify(gift)))).toEqual(gift);
  });

  const bad: [string, unknown][] = [
    ["nothing", null],
    ["no order id", { ...gift, orderId: "" }],
    ["a sender that is a number", { ...gift, senderId: 11 }],
    ["a count of zero", { ...gift, count: 0 }],
    ["a negative price", { ...gift, price: -1 }],
    ["a fractional price", { ...gift, price: 1.5 }],
    ["an unsafe price", { ...gift, price: 2 ** 53 }],
    ["no share", { ...gift, sharePercent: undefined }],
    ["a share above 100", { ...gift, sharePercent: 101 }],
    ["a share below 0", { ...gift, sharePercent: -1 }],
    ["a fractional share", { ...gift, sharePercent: 12.5 }],
    ["a share that is text", { ...gift, sharePercent: "50" }],
    ["another type", { ...gift, type: 2 }],
    ["no time", { ...gift, acceptedAt: "soon" }],
    ["a time that no calendar has", { ...gift, acceptedAt: "2026-13-01T00:00:00.000Z" }],
    ["a count that no column holds", { ...gift, count: 2 ** 32 }],
    ["a price above the dearest gift's", { ...gift, price: 1_000_000_001 }],
    ["no hash", { ...gift, contentHash: "zz" }],
  ];
  test.each(bad)("a message with %s can never be settled, and the error has the reason", (_what, data) => {
    expect(() => parseAcceptedGift(data)).toThrow(/is invalid/);
  });
});
