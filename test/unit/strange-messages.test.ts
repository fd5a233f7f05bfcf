import fc from "fast-check";
import { type DurableEventName, durableEvents } from "../../services/contracts.ts";
import { onEvent } from "../../services/durable-event.ts";
import { parseAcceptedGift } from "../../services/gift/accepted-gift.ts";
import { payTopic } from "../../services/wallet/pay-topics.ts";
import { strangeJson, strangeObject } from "../support/strange-values.ts";

const gift = ["orderId", "senderId", "receiverId", "roomId", "giftId", "count", "price", "type", "url", "contentHash"];

const parserOf = (event: DurableEventName) => onEvent(event, async () => {}).parse as (data: unknown) => unknown;
const fieldsOf = (event: DurableEventName) => Object.keys(durableEvents[event].shape);
const events = (Object.keys(durableEvents) as DurableEventName[]).map(
  (event): [string, (data: unknown) => unknown, string[], boolean] => [
    ...([`an event ${event}`, parserOf(event), fieldsOf(event), true] as const),
  ],
);

test.each<[string, (data: unknown) => unknown, string[], boolean]>([
  ["an accepted gift", parseAcceptedGift, [...gift, "acceptedAt", "sharePercent"], false],
  ["a message of a pay topic", payTopic.parse, ["orderId", "userId", "coins"], false],
  ...events,
])("%s that is none is refused with an error that says so in a few words", (_what, parse, names, isEvent) => {
  const inner = strangeObject(names);
  const messages = fc.oneof(isEvent ? inner.map((data) => `{"id":"e","data":${data}}`) : inner, strangeJson(...names));
  fc.assert(
    fc.property(messages, (text) => {
      try {
        parse(JSON.parse(text));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).message).toMatch(/^(no |not a |\w+ of order )/);
        expect((error as Error).message.length).toBeLessThan(150);
      }
    }),
    { numRuns: 150 },
  );
});
