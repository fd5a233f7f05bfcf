import { limits } from "../../../config/limits.ts";
import { partsOf, type StreamDefinition } from "../../../mixins/jetstream/definitions.ts";
import { partitionOf } from "../../../services/gift-partitions.ts";
import { giftStream } from "../../../services/streams.ts";

const boundsOf = (stream: StreamDefinition) =>
  partsOf(stream).map(({ maxMessages, maxBytes }) => [maxMessages, maxBytes]);

test("the streams of the gift queue that gifts are put into hold the whole queue's bounds together", () => {
  const written = new Set(Array.from({ length: 1_000 }, (_, user) => partitionOf(String(user))));
  const bounds = boundsOf(giftStream);
  expect(bounds).toEqual(Array(8).fill([1_250_000, 500_000_000]));
  const sum = (at: 0 | 1) => [...written].reduce((all, n) => all + (bounds[n]?.[at] as number), 0);
  expect([sum(0), sum(1)]).toEqual([limits.jetstream.giftQueueMessages, limits.jetstream.giftQueueBytes]);
});

test("where all partitions are written to, they share the bounds among them", () => {
  const shared = { name: "JOBS", subjects: ["job.*"], kind: "queue", partitions: 3, maxMessages: 10 } as const;
  expect(boundsOf(shared)).toEqual(Array(3).fill([4, undefined]));
});
