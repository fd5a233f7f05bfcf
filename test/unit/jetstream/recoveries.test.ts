import type { Positions, StreamGeneration } from "../../../mixins/jetstream/positions.ts";
import { Recoveries, type Recovery } from "../../../mixins/jetstream/recoveries.ts";
import { type StreamDefinition, streamNames } from "../../../mixins/jetstream/streams.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

/** When recoveries run; what stands in the database is tested with it (test/integration/jetstream/gone.test.ts). */

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const definition: StreamDefinition = { name: "S", subjects: ["s"], kind: "queue" };
const [stream] = streamNames(definition) as [string];
const created = "2026-01-01T00:00:00.123456789Z";

let done: Set<string>;
let runs: StreamGeneration[];
let recoveries: Recoveries;
let during: () => Promise<void>;
let positions: Partial<Positions>;

beforeEach(() => {
  [done, runs, during] = [new Set(), [], async () => {}];
  const key = (reader: string, at: StreamGeneration) => `${reader} ${at.stream} ${at.created}`;
  positions = {
    find: async (reader: string, at: StreamGeneration) =>
      done.has(key(reader, at)) ? { sequence: 0, time: new Date() } : undefined,
    lastTimeInFormer: async () => undefined,
    advance: async (reader: string, at: StreamGeneration) => void done.add(key(reader, at)),
  };
  recoveries = new Recoveries(positions as Positions, silentLog);
  const recovery: Recovery = {
    ...{ name: "r", stream: definition, once: true },
    run: async (streams) => {
      runs.push(...streams);
      await during();
    },
  };
  recoveries.add(recovery);
});
afterEach(() => recoveries.stop());

test("a loss within a stream is recovered by itself and tells its mark; one that is done is not repeated", async () => {
  recoveries.seen({ stream, created, again: "" });
  await eventually("the new stream's is done", () => done.has(`recovery r ${stream} ${created}`));
  recoveries.seen({ stream, created, again: "mark" });
  await eventually("the loss's is done", () => done.has(`recovery r ${stream} ${created}~mark`));
  recoveries.seen({ stream, created, again: "mark" });
  await eventually("nothing is lost of the marks", () => runs.length === 2);
  expect(runs.map(({ again }) => again)).toEqual(["", "mark"]);
});

test("a request that comes while a recovery runs is not done by that run", async () => {
  during = async () => {
    during = async () => {};
    recoveries.again({ stream, created, again: "", lastSequence: 5 });
  };
  recoveries.seen({ stream, created, again: "" });
  await eventually("it runs once more", () => runs.length === 2);
  expect(runs[1]?.lastSequence).toBe(5);
});

test("a recovery that takes long holds up no other one; a stop tells it, and waits for its end", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const ends: string[] = [];
  const long = async (_streams: readonly StreamGeneration[], signal: AbortSignal) => {
    started.resolve(signal);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    ends.push("long");
    throw signal.reason;
  };
  const both = new Recoveries(positions as Positions, silentLog);
  both.add({ name: "long", stream: definition, run: long });
  both.add({ name: "short", stream: definition, once: true, run: async (streams) => void runs.push(...streams) });
  both.seen({ stream, created, again: "" });
  expect((await started.promise).aborted).toBe(false);
  await eventually("the other one is done", () => done.has(`recovery short ${stream} ${created}`));
  expect(runs).toHaveLength(1);
  await both.stop();
  expect([ends, [...done]]).toEqual([["long"], [`recovery short ${stream} ${created}`]]);
});
