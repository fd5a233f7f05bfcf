import type { ConsumerInfo, StreamInfo } from "nats";
import { limits } from "../../../config/limits.ts";
import { type LossParts, LossWatch } from "../../../mixins/jetstream/loss-watch.ts";
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

test("a message that was passed, and is the oldest one for long, is named, and again after as long", () => {
  const look = watch();
  expect(look(0, queue(4, 9), reader(20))).toBeUndefined();
  expect(look(1_000, queue(4, 9), reader(25))).toBeUndefined();
  expect(look(999 + passedForMs, queue(4, 9), reader(30))).toBeUndefined();
  expect(look(1_000 + passedForMs, queue(4, 9), reader(30))).toBe(4);
  expect(look(2_000 + passedForMs, queue(4, 9), reader(30))).toBeUndefined();
  expect(look(1_000 + 2 * passedForMs, queue(4, 9), reader(30))).toBe(4);
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
  for (const [at, stream, consumer] of [
    [4, queue(4, 9), reader(20)],
    [5, queue(4, 9), reader(20, "c2")],
    [6, queue(4, 9, "s2"), reader(20, "c2")],
    [7, queue(4, 9, "s2"), reader(20, "c2")],
  ] as const)
    expect(look(at * late, stream, consumer)).toBeUndefined();
  expect(look(8 * late, queue(4, 9, "s2"), reader(20, "c2"))).toBe(4);
});

describe("a queue whose consumer has passed messages", () => {
  /** Looks every `passedForMs` at the same oldest message; each mark of the queue fails or not. */
  async function looks(count: number, fails: (mark: number) => boolean = () => false) {
    let marks = 0;
    const markLoss = jest.fn(async () => {
      if (fails(++marks)) throw new Error("nobody offers the provisioner");
    });
    const log = { info: jest.fn(), warn: jest.fn(), error: jest.fn() };
    const watch = new LossWatch({ provisioning: { markLoss }, log } as unknown as LossParts);
    const now = jest.spyOn(performance, "now");
    for (let n = 0; n < count; n++) {
      now.mockReturnValue(n * passedForMs);
      await watch.lookForPassed("reader", queue(4, 9), { ...reader(20), name: "reader" });
    }
    now.mockRestore();
    return { markLoss, log };
  }

  test("is marked, and tried again where that fails", async () => {
    const { markLoss, log } = await looks(4, (mark) => mark === 1);
    expect(markLoss.mock.calls).toEqual([
      ["JOBS", { created: "s1" }],
      ["JOBS", { created: "s1" }],
    ]);
    expect(log.warn.mock.calls[1]).toEqual([
      { stream: "JOBS", consumer: "reader", sequence: 4, messages: 9, err: expect.any(Error) },
      "a queue whose consumer has passed messages was not marked: tried again",
    ]);
  });

  test("is marked so many times for one message, then that is one error", async () => {
    const { markLoss, log } = await looks(20);
    expect([markLoss.mock.calls.length, log.error.mock.calls.length]).toEqual([limits.jetstream.passedMarks, 1]);
  });
});
