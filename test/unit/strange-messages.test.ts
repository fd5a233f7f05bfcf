import fc from "fast-check";
import { parseAcceptedGift } from "../../services/gift/accepted-gift.ts";
import { parseRoomClosed } from "../../services/living-room/broadcasting.ts";
import { parseCredited } from "../../services/notification/payment-notice.ts";
import { parseTopicMessage } from "../../services/wallet/pay-topics.ts";
import { strangeJson, strangeObject } from "../support/strange-values.ts";

const gift = ["orderId", "senderId", "receiverId", "roomId", "giftId", "count", "price", "type", "url", "contentHash"];
const credited = ["userId", "orderId", "coins", "balanceAfter"];

test.each<[string, (data: unknown) => unknown, string[], boolean]>([
  ["an accepted gift", (data) => parseAcceptedGift(data, 50), [...gift, "acceptedAt", "sharePercent"], false],
  ["a message of a pay topic", parseTopicMessage, ["orderId", "userId", "coins"], false],
  ["an event of a credit", parseCredited, credited, true],
  ["an event of a closed room", parseRoomClosed, ["roomId"], true],
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
