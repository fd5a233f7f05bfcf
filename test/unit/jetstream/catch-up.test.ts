import { limits } from "../../../config/limits.ts";
import { CatchUp } from "../../../mixins/jetstream/catch-up.ts";
import { catchUpRecovery } from "../../../mixins/jetstream/catch-up-recovery.ts";
import type { Positions } from "../../../mixins/jetstream/positions.ts";
import { Recoveries } from "../../../mixins/jetstream/recoveries.ts";
import { type StreamDefinition, streamNames } from "../../../mixins/jetstream/streams.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const log: StreamDefinition = { name: "L", subjects: ["l.>"], kind: "log", maxAgeMs: 3_600_000 };
const [stream] = streamNames(log) as [string];
const ago = (ms: number) => new Date(Date.now() - ms);
const stop = new AbortController().signal;

/** Nodes with one lease; `patient`: who asks for it waits until it is free. */
function leases(patient = false) {
  let holder = "";
  return (node: string) => ({
    async hold() {
      while (patient && holder !== "") await eventually("the lease is free", () => holder === "", 5_000);
      if (holder === "") holder = node;
      return holder === node;
    },
    renew: async () => holder === node,
    giveBack: async () => {
      if (holder === node) holder = "";
    },
  });
}

test("one node at a time catches up, and another one may once it is over, also where it failed", async () => {
  const leaseOf = leases();
  const [one, two] = ["one", "two"].map(
    (node) => new CatchUp({ durable: "c", lease: leaseOf(node), missed: async () => {}, log: silentLog }),
  ) as [CatchUp, CatchUp];
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = one.alone(() => promise, stop);
  expect([await two.alone(async () => {}, stop), await one.alone(async () => {}, stop)]).toEqual([false, false]);
  resolve();
  expect([await first, await two.alone(async () => {}, stop)]).toEqual([true, true]);
  await expect(two.alone(() => Promise.reject(new Error("of the work")), stop)).rejects.toThrow("of the work");
  expect(await one.alone(async () => {}, stop)).toBe(true);
});

test("what a consumer is told again begins a minute early, for clocks that differ", async () => {
  const missed = jest.fn(async () => {});
  const catchUp = new CatchUp({ durable: "c", lease: leases()("one"), missed, log: silentLog });
  await catchUp.missed(new Date("2026-01-01T10:00:00Z"), stop);
  expect(missed).toHaveBeenCalledWith({ since: new Date("2026-01-01T09:59:00Z"), signal: stop, log: silentLog });
});

test("a node that lost its lease ends its catch-up; one that cannot ask goes on", async () => {
  jest.useFakeTimers();
  try {
    const renewals: (() => Promise<boolean>)[] = [() => Promise.reject(new Error("away")), async () => false];
    const renew = () => (renewals.shift() as () => Promise<boolean>)();
    const lease = { hold: async () => true, renew, giveBack: async () => {} };
    const catchUp = new CatchUp({ durable: "c", lease, missed: async () => {}, log: silentLog });
    const seen: boolean[] = [];
    const over = catchUp.alone(async (signal) => {
      for (let renewal = 0; renewal < 2; renewal++) {
        await jest.advanceTimersByTimeAsync(limits.jetstream.catchUpLeaseMs / 4);
        seen.push(signal.aborted);
      }
    }, stop);
    await over;
    expect(seen).toEqual([false, true]);
  } finally {
    jest.useRealTimers();
  }
});

/** Whether a node's recoveries know that there is nothing left to do. */
const isDone = (recoveries: Recoveries) =>
  [...(recoveries as unknown as { ran: Map<string, unknown> }).ran.values()].some((ran) => ran === true);

test("after the loss of a log one node catches up once, and the others find it done", async () => {
  // Each node finds it due, and gets the lease once it is done.
  const [leaseOf, done] = [leases(true), new Set<string>()];
  const positions = {
    find: async (reader: string) => (done.has(reader) ? { sequence: 0, time: new Date() } : undefined),
    advance: async (reader: string) => void done.add(reader),
    lastTimeInFormer: async () => ago(5_000),
  } as unknown as Positions;
  const gate = Promise.withResolvers<void>();
  const missed = jest.fn(() => gate.promise);
  const nodes = ["one", "two", "three"].map((node) => {
    const catchUp = new CatchUp({ durable: "c", lease: leaseOf(node), missed, log: silentLog });
    const recoveries = new Recoveries(positions, silentLog);
    recoveries.add(catchUpRecovery(positions, { durable: "c", stream: log }, catchUp));
    recoveries.seen({ stream, created: "2026-01-01T00:00:00Z", again: "" });
    return recoveries;
  });
  await eventually("one has begun", () => missed.mock.calls.length === 1);
  gate.resolve();
  await eventually("each node finds it done", () => nodes.every(isDone), 5_000);
  await Promise.all(nodes.map((node) => node.stop()));
  expect(missed).toHaveBeenCalledTimes(1);
});

test.each([
  ["ends with a message of a known time: from that message", 7, ago(90_000), ago(1_800_000), 90_000],
  ["ends with a message of an unknown time: from its creation", 7, undefined, ago(1_800_000), 1_800_000],
  ["is empty: from its creation", 0, undefined, ago(1_800_000), 1_800_000],
  ["is empty and older than its messages may be: from their age", 0, undefined, ago(9_000_000), 3_600_000],
])(
  "a consumer catches up on a log that went back in time and %s",
  async (_what, lastSequence, lastTime, created, expectedMs) => {
    const missed = jest.fn(async (_since: Date) => {});
    const catchUp = { missed, alone: async () => true };
    const positions = { lastTimeInFormer: async () => ago(1) };
    const { run } = catchUpRecovery(positions, { durable: "c", stream: log }, catchUp);
    await run(
      [
        {
          stream,
          created: created.toISOString(),
          again: "",
          lastSequence,
          ...(lastTime && { lastTime }),
          isFirst: false,
        },
      ],
      stop,
    );
    const since = missed.mock.calls[0]?.[0].getTime() ?? 0;
    expect(Math.abs(Date.now() - expectedMs - since)).toBeLessThan(60_000);
  },
);
