import fc from "fast-check";
import { parseAcceptedGift } from "../../services/gift/accepted-gift.ts";
import livingRoom from "../../services/living-room/living-room.service.ts";
import notification from "../../services/notification/notification.service.ts";
import { payTopic } from "../../services/wallet/pay-topics.ts";
import { strangeJson, strangeObject } from "../support/strange-values.ts";

const gift = ["orderId", "senderId", "receiverId", "roomId", "giftId", "count", "price", "type", "url", "contentHash"];
const credited = ["userId", "orderId", "coins", "balanceAfter", "time"];

/** How a channel of a service reads its messages. */
const parseOf = (service: object, channel: string): ((data: unknown) => unknown) =>
  (service as { channels: Record<string, { parse(data: unknown): unknown }> }).channels[channel]?.parse as never;

test.each<[string, (data: unknown) => unknown, string[], boolean]>([
  ["an accepted gift", (data) => parseAcceptedGift(data, 50), [...gift, "acceptedAt", "sharePercent"], false],
  ["a message of a pay topic", payTopic.parse, ["orderId", "userId", "coins"], false],
  ["an event of a credit", parseOf(notification, "paymentReceived"), credited, true],
  ["an event of a closed room", parseOf(livingRoom, "roomClosed"), ["roomId"], true],
  ["an event of a room that opened", parseOf(livingRoom, "roomOpened"), ["anchorId"], true],
  ["an event of a frozen account", parseOf(livingRoom, "accountFrozen"), ["userId"], true],
])("%s that is none is refused with an error that says so in a few words", (_what, parse, names, isEvent) => {
  const inner = strangeObject(names);
  const messages = fc.oneof(isEvent ? inner.map((data) => `{"id":"e","data":${data}}`) : inner, strangeJson(...names));
  fc.assert(
    fc.property(messages, (text) => {
      try {
        parse(JSON.parse(text));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).message).toMatch(/^(no |\w+ of order )/);
        expect((error as Error).message.length).toBeLessThan(150);
      }
    }),
    { numRuns: 150 },
  );
});

test("a message that fits is read as its schema says, without fields that the schema does not name", () => {
  const data = { userId: "7", orderId: "o", coins: 5, balanceAfter: 9, time: "2026-01-01T00:00:00.000Z", more: 1 };
  const { more: _more, ...known } = data;
  expect(parseOf(notification, "paymentReceived")({ id: "e", name: "wallet.credited", data })).toEqual(known);
  expect(parseOf(livingRoom, "accountFrozen")({ data: { userId: "7", reason: "r" } })).toEqual({ userId: "7" });
});

test.each([
  ["no coins", { coins: 0 }],
  ["half a coin", { coins: 0.5 }],
  ["more coins than an integer holds", { coins: 2 ** 53 }],
  ["coins in words", { coins: "5" }],
  ["a user id that fits no column", { userId: "18446744073709551616" }],
  ["no order", { orderId: "" }],
  ["an order id that fits no column", { orderId: "x".repeat(65) }],
])("a paid order with %s is none", (_what, wrong) => {
  const paid = { orderId: "o", userId: "7", coins: 5 };
  expect(payTopic.parse(paid)).toEqual(paid);
  expect(() => payTopic.parse({ ...paid, ...wrong })).toThrow(
    `no message of this kind: field "${Object.keys(wrong)[0]}" does not fit`,
  );
});
