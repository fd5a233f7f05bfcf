import { lostWith, purgedBetween, type SeenConsumer } from "../../../mixins/jetstream/losses.ts";

const stream = { created: "t1", mark: "", messages: 40, lastSequence: 100 };
const seen = (over: Partial<SeenConsumer> = {}): SeenConsumer => ({
  ...{ stream: "S", created: "c1", waiting: 10, deliveries: 50, reached: 90, madeAt: 0 },
  ...over,
});

test("a queue takes with it all that waited, a log what one of the consumers had not read, or all without one", () => {
  expect(lostWith("queue", stream, [])).toBe(40);
  expect(lostWith("log", stream, [seen({ waiting: 3 }), seen({ waiting: 7 })])).toBe(7);
  expect(lostWith("log", stream, [])).toBe(40);
});

test("what a consumer passed without a delivery was purged; repeats only hide some of it", () => {
  expect(purgedBetween(seen(), seen({ deliveries: 60, reached: 100 }))).toBe(0);
  expect(purgedBetween(seen(), seen({ deliveries: 65, reached: 100 }))).toBe(0);
  expect(purgedBetween(seen(), seen({ deliveries: 55, reached: 125 }))).toBe(30);
});

test("a consumer that stands before where it was, as after a restart of the server, tells of no purge", () => {
  const before = seen({ deliveries: 150, reached: 100 });
  expect(purgedBetween(before, seen({ deliveries: 120, reached: 95 }))).toBe(0);
  expect(purgedBetween(before, seen({ deliveries: 120, reached: 100 }))).toBe(0);
});

test("a consumer that was made again has passed nothing", () => {
  expect(purgedBetween(seen({ created: "c1" }), seen({ created: "c2", deliveries: 0, reached: 500 }))).toBe(0);
});

test("what was there when a consumer was made may have been acked by another one: no purge is told of that", () => {
  const before = seen({ deliveries: 0, reached: 0, madeAt: 950 });
  expect(purgedBetween(before, seen({ deliveries: 2, reached: 950, madeAt: 950 }))).toBe(0);
  expect(purgedBetween(before, seen({ deliveries: 2, reached: 1_000, madeAt: 950 }))).toBe(48);
});
