import { nextReading, type Reading } from "../../../mixins/jetstream/readings.ts";

const stream = (first: number, last: number) => ({ state: { first_seq: first, last_seq: last } }) as never;
const consumer = (acked: number, waiting = 0) =>
  ({ ack_floor: { stream_seq: acked }, num_pending: waiting, num_ack_pending: 0 }) as never;
const reading = (upTo: number, candidate = 0): Reading => ({ upTo, candidate });

test("a consumer has read up to its ack floor, or to the end where nothing waits for it, once the next check confirms it", () => {
  const idle = nextReading(reading(5), stream(1, 100), consumer(5));
  expect(idle).toEqual(reading(5, 100));
  expect(nextReading(idle, stream(6, 120), consumer(5, 3))).toEqual(reading(100, 5));
  const busy = nextReading(reading(5), stream(1, 100), consumer(80, 20));
  expect(busy).toEqual(reading(5, 80));
  expect(nextReading(busy, stream(6, 130), consumer(90, 40))).toEqual(reading(80, 90));
});

test.each([
  ["waits behind what was dropped", consumer(5, 3)],
  ["has nothing to do any more, since all that waited was dropped", consumer(5)],
  ["has acked a message behind what was dropped, so that its ack floor has passed it", consumer(60)],
])("a stream that begins behind what was read for certain has a gap, also where the consumer %s", (_what, now) => {
  const before = nextReading(reading(5), stream(1, 100), consumer(5, 95));
  expect(nextReading(before, stream(50, 120), now)).toEqual({ ...reading(5), gap: { after: 5, before: 50 } });
});

test("an empty stream whose last messages were dropped unread has a gap up to its end", () => {
  expect(nextReading(reading(10), stream(41, 40), consumer(40)).gap).toEqual({ after: 10, before: 41 });
});

test("in a stream that went back in time what was read beyond its end does not count", () => {
  expect(nextReading(reading(90), stream(1, 40), consumer(20, 20))).toEqual(reading(20, 20));
});
