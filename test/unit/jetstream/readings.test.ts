import { nextReading, type Reading } from "../../../mixins/jetstream/readings.ts";

const stream = (first: number, last: number) => ({ state: { first_seq: first, last_seq: last } }) as never;
const consumer = (acked: number, waiting = 0) =>
  ({ ack_floor: { stream_seq: acked }, num_pending: waiting, num_ack_pending: 0 }) as never;
const reading = (upTo: number, candidate = 0): Reading => ({ upTo, candidate });

test("a consumer has read up to what it acked, and where nothing waits for it up to the end, once the next look confirms it", () => {
  const idle = nextReading(reading(5), stream(1, 100), consumer(5));
  expect(idle).toEqual(reading(5, 100));
  expect(nextReading(idle, stream(50, 120), consumer(5, 3))).toMatchObject({ gap: { after: 5, before: 50 } });
  expect(nextReading(idle, stream(6, 120), consumer(5, 3))).toEqual(reading(100, 0));
  expect(nextReading(reading(5), stream(1, 100), consumer(80, 20))).toEqual(reading(80, 0));
});

test("a stream that begins behind what was read has dropped unread messages, also where nothing waits any more", () => {
  expect(nextReading(reading(10), stream(31, 40), consumer(10))).toEqual({
    ...reading(10, 40),
    gap: { after: 10, before: 31 },
  });
  expect(nextReading(reading(30), stream(31, 40), consumer(10)).gap).toBeUndefined();
  expect(nextReading(reading(10), stream(31, 40), consumer(30, 9)).gap).toBeUndefined();
});

test("an empty stream whose last messages were dropped unread has a gap up to its end", () => {
  expect(nextReading(reading(10), stream(41, 40), consumer(10)).gap).toEqual({ after: 10, before: 41 });
});

test("in a stream that went back in time what was read beyond its end does not count", () => {
  expect(nextReading(reading(90), stream(1, 40), consumer(20, 20))).toEqual(reading(20, 0));
});
