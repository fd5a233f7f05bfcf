import type { ConsumerDefinition } from "../../../mixins/jetstream/definitions.ts";
import { GapWatch } from "../../../mixins/jetstream/gap-watch.ts";
import { PositionKeeper } from "../../../mixins/jetstream/position-keeper.ts";
import type { Position, Positions, StreamGeneration } from "../../../mixins/jetstream/positions.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const minute = (n: number) => new Date(Date.parse("2026-01-01T10:00:00Z") + n * 60_000);
/** A stream that stores a message a minute, each under the sequence of its minute. */
const stream = (first: number, last: number) =>
  ({
    ...{ config: { name: "S" }, created: "2026-01-01T10:00:00Z" },
    state: {
      ...{ first_seq: first, last_seq: last, messages: last - first + 1 },
      ...{ first_ts: minute(first).toISOString(), last_ts: minute(last).toISOString() },
    },
  }) as never;
const info = (acked: number, waiting: number) =>
  ({ ack_floor: { stream_seq: acked }, num_pending: waiting, num_ack_pending: 0 }) as never;

/** As t_stream_position does it: a row only grows. */
function table(): Map<string, Position> & { positions: Positions } {
  const rows = new Map<string, Position>();
  const positions = {
    find: async (reader: string) => rows.get(reader),
    advance: async (reader: string, _of: StreamGeneration, sequence: number, time?: Date) => {
      const row = rows.get(reader) ?? { sequence: -1, time: time ?? new Date() };
      if (sequence <= row.sequence) return;
      rows.set(reader, { sequence, time: time && time > row.time ? time : row.time });
    },
  } as unknown as Positions;
  return Object.assign(rows, { positions });
}

const closingOf = (watch: GapWatch) => (watch as unknown as { closing: Map<string, unknown> }).closing.size;

function watchOn(rows: ReturnType<typeof table>) {
  const parts = { log: { ...silentLog, error: jest.fn(), warn: jest.fn() }, countLost: jest.fn() };
  return {
    ...parts,
    watch: new GapWatch({ ...parts, positions: new PositionKeeper({} as never, rows.positions, silentLog) }),
  };
}

type CatchUp = NonNullable<ConsumerDefinition["catchUp"]>;
const alone: CatchUp["alone"] = (work, stop) => work(stop).then(() => true);
const consumerWith = (missed?: CatchUp["missed"]): ConsumerDefinition => ({
  ...{ durable: "c", stream: "S", kind: "log" },
  ...(missed && { catchUp: { alone, missed } }),
});

test("a consumer that is behind, and moves, catches up from the time of the last message it has read for certain", async () => {
  const rows = table();
  const { watch } = watchOn(rows);
  const missed = jest.fn(async () => {});
  const consumer = consumerWith(missed);
  for (let at = 30; at <= 60; at++) await watch.look(consumer, stream(1, at), info(at - 20, 20));
  // The look before has seen 39 acked, and a look has seen the stream end there.
  expect(rows.get("c")).toEqual({ sequence: 39, time: minute(39) });
  await watch.look(consumer, stream(55, 61), info(54, 7));
  await eventually("it has caught up", () => closingOf(watch) === 0);
  expect(missed).toHaveBeenCalledWith(minute(39), expect.any(AbortSignal));
});

test("a consumer's first position has the time of the stream's first message", async () => {
  const rows = table();
  await watchOn(rows).watch.look(consumerWith(), stream(11, 90), info(10, 80));
  expect(rows.get("c")).toEqual({ sequence: 10, time: minute(11) });
});

test("a gap that is closed is noted with the time at which the catch-up began: later gifts may not be told by it", async () => {
  const rows = table();
  const { watch } = watchOn(rows);
  let begun = 0;
  const missed = jest.fn(async () => {
    begun = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await watch.look(consumerWith(missed), stream(1, 20), info(5, 15));
  await watch.look(consumerWith(missed), stream(15, 20), info(14, 6));
  for (let looks = 0; rows.get("c")?.sequence !== 14 && looks < 200; looks++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(rows.get("c")?.sequence).toBe(14);
  expect(rows.get("c")?.time.getTime()).toBeLessThanOrEqual(begun);
});

test("a catch-up that is under way at the stop is told, and waited for; its gap stays open", async () => {
  const rows = table();
  const { watch, log } = watchOn(rows);
  let over = false;
  const begun = Promise.withResolvers<void>();
  const missed = async (_since: Date, signal: AbortSignal) => {
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    over = true;
    throw signal.reason;
  };
  await watch.look(consumerWith(missed), stream(1, 20), info(5, 15));
  await watch.look(consumerWith(missed), stream(15, 20), info(14, 6));
  await begun.promise;
  await watch.stop();
  expect([over, rows.get("c")?.sequence, log.warn.mock.calls]).toEqual([true, 0, []]);
});

test("a gap is counted and logged once, however often its catch-up fails, and what it grows by is counted beside", async () => {
  const rows = table();
  const { watch, log, countLost } = watchOn(rows);
  let isAway = true;
  const missed = jest.fn(async () => {
    if (isAway) throw new Error("of the books");
  });
  const look = async (first: number) => {
    const calls = missed.mock.calls.length;
    await watch.look(consumerWith(missed), stream(first, 40), info(first - 1, 10));
    await eventually("it was tried", () => missed.mock.calls.length > calls && closingOf(watch) === 0);
  };
  await watch.look(consumerWith(missed), stream(1, 40), info(5, 35));
  for (const first of [15, 15, 20]) await look(first);
  expect(countLost.mock.calls).toEqual([14, 5].map((messages) => ["S", messages]));
  expect([log.error, log.warn].map(({ mock }) => mock.calls.length)).toEqual([1, 3]);
  isAway = false;
  await look(20);
  expect([countLost.mock.calls.length, rows.get("c")?.sequence]).toEqual([2, 19]);
  await look(30);
  expect([countLost.mock.lastCall, log.error.mock.calls.length]).toEqual([["S", 10], 2]);
});

test("while another node closes a gap this one does nothing, and then goes on from the position that it finds", async () => {
  const rows = table();
  const { watch, countLost } = watchOn(rows);
  const missed = jest.fn(async () => {});
  let other: "has it" | "is done" = "has it";
  const consumer: ConsumerDefinition = {
    ...consumerWith(),
    catchUp: {
      missed,
      alone: async (work, stop) => {
        if (other === "has it") return false;
        rows.set("c", { sequence: 14, time: new Date() });
        await work(stop);
        return true;
      },
    },
  };
  const look = async () => {
    await watch.look(consumer, stream(15, 40), info(14, 10));
    await eventually("it is over", () => closingOf(watch) === 0);
  };
  await watch.look(consumer, stream(1, 40), info(5, 35));
  await look();
  other = "is done";
  await look();
  await look();
  expect([missed.mock.calls.length, countLost.mock.calls.length, rows.get("c")?.sequence]).toEqual([0, 1, 14]);
});
