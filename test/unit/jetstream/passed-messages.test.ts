import type { ConsumerInfo, StreamInfo } from "nats";
import { limits } from "../../../config/limits.ts";
import { PassedMessages } from "../../../mixins/jetstream/passed-messages.ts";

/** A queue's consumer that has acked what is still in its queue. */

const { passedForMs } = limits.jetstream;

const queue = (first_seq: number, messages: number, created = "s1") =>
  ({ created, config: { name: "JOBS" }, state: { first_seq, messages } }) as unknown as StreamInfo;
const reader = (upTo: number, created = "c1") =>
  ({ created, ack_floor: { consumer_seq: upTo, stream_seq: upTo } }) as unknown as ConsumerInfo;

function watch() {
  const passed = new PassedMessages();
  return (now: number, stream: StreamInfo, consumer: ConsumerInfo) => passed.look("reader", stream, consumer, now);
}

test("a message that was passed, and is the oldest one for long, is named", () => {
  const look = watch();
  expect(look(0, queue(4, 9), reader(20))).toBeUndefined();
  expect(look(1_000, queue(4, 9), reader(25))).toBeUndefined();
  expect(look(999 + passedForMs, queue(4, 9), reader(30))).toBeUndefined();
  expect(look(1_000 + passedForMs, queue(4, 9), reader(30))).toBe(4);
});

test("what is acked between the two questions of one look was not passed", () => {
  const look = watch();
  for (let n = 0; n < 100; n++) expect(look(n * 1_000, queue(10 * n + 1, 10), reader(10 * n + 10))).toBeUndefined();
});

test("a queue that others drain, however late, has none: each time another message is the oldest", () => {
  const look = watch();
  for (let n = 0; n < 100; n++) expect(look(n * 1_000, queue(n + 1, 50), reader(n + 40))).toBeUndefined();
});

test("an empty queue, one whose oldest message waits, and a new consumer have none", () => {
  const look = watch();
  const late = 10 * passedForMs;
  look(0, queue(21, 0), reader(20));
  expect(look(late, queue(21, 0), reader(20))).toBeUndefined();
  expect(look(2 * late, queue(21, 1), reader(20))).toBeUndefined();
  expect(look(3 * late, queue(21, 1), reader(20))).toBeUndefined();
  look(4 * late, queue(4, 9), reader(20));
  expect(look(5 * late, queue(4, 9), reader(20, "c2"))).toBeUndefined();
  expect(look(6 * late, queue(4, 9, "s2"), reader(20, "c2"))).toBeUndefined();
});
