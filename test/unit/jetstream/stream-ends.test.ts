import { StreamEnds } from "../../../mixins/jetstream/stream-ends.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const created = "2026-01-01T00:00:00.123456789Z";
const second = (n: number) => new Date(Date.parse("2026-01-02T00:00:00Z") + n * 1_000);
/** A stream that stores a message a second, each under the sequence of its second. */
const stream = (first: number, last: number) =>
  ({
    created,
    state: {
      ...{ first_seq: first, last_seq: last, messages: last - first + 1 },
      ...{ first_ts: second(first).toISOString(), last_ts: second(last).toISOString() },
    },
  }) as never;

test("what is behind a sequence was stored after the newest end that was seen up to it, or after the first message", () => {
  const ends = new StreamEnds();
  expect(ends.timeOf(5)).toBeUndefined();
  for (const last of [20, 20, 25, 40]) ends.saw(stream(11, last));
  expect([9, 10, 19, 20, 24, 25, 39, 40, 90].map((at) => ends.timeOf(at))).toEqual([
    undefined,
    ...[11, 11, 20, 20, 25, 25, 40, 40].map(second),
  ]);
});

test("in a stream without a message nothing was stored before it was made", () => {
  const ends = new StreamEnds();
  const none = "0001-01-01T00:00:00Z";
  ends.saw({ created, state: { first_seq: 0, last_seq: 0, messages: 0, first_ts: none, last_ts: none } } as never);
  expect(ends.timeOf(0)).toEqual(new Date(created));
});

test("ends of a stream that went back in time are forgotten, so that its new messages have their own times", () => {
  const ends = new StreamEnds();
  for (const last of [20, 30]) ends.saw(stream(1, last));
  ends.saw(stream(1, 22));
  expect([22, 30].map((at) => ends.timeOf(at))).toEqual([22, 22].map(second));
});

test("of a long past fewer ends are kept, and no time is later than the right one", () => {
  const ends = new StreamEnds();
  for (let last = 1; last <= 10_000; last++) ends.saw(stream(1, last));
  expect((ends as unknown as { ends: unknown[] }).ends.length).toBeLessThanOrEqual(4_096);
  for (const at of [1, 777, 5_000, 9_999, 10_000]) {
    const time = ends.timeOf(at)?.getTime() ?? 0;
    expect(second(at).getTime() - time).toBeLessThan(8_001);
    expect(time).toBeLessThanOrEqual(second(at).getTime());
  }
});
