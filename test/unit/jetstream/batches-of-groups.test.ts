import fc from "fast-check";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { Batches } from "../../../mixins/jetstream/batches.ts";
import { FakeMessage, FakePorts, fakeTimers, pass, settled } from "./fake-messages.ts";

/** Messages that hold many items. What holds for each item by itself is in batches.test.ts. */

const { retryMaxDelayMs, maxAttempts, ackWaitMs, drainMs } = limits.jetstream;
const longMs = maxAttempts * retryMaxDelayMs;

/** An item is a letter, its key, and a number: "a1". "!" cannot be read. */
function open(bounds: { batch?: number; batchesInFlight?: number } = {}) {
  const ports = new FakePorts();
  const batches = new Batches({ durable: "durable", batch: 100, batchesInFlight: 1, ...bounds }, ports, () => {});
  const calls: string[][] = [];
  const running: { items: string[]; done(): void; fail(error: unknown): void }[] = [];
  /** Decides how a call ends, where it is given. */
  const judge: { of?: (items: string[]) => void } = {};
  ports.handle = (messages) => {
    const items = messages.map(({ data }) => data as string);
    calls.push(items);
    return new Promise((resolve, reject) => {
      if (judge.of) {
        judge.of(items);
        return resolve();
      }
      const end = (how: () => void) => {
        running.splice(running.indexOf(one), 1);
        how();
      };
      const one = { items, done: () => end(resolve), fail: (error: unknown) => end(() => reject(error)) };
      running.push(one);
    });
  };
  let last = 0;
  const put = (items: string[], message = new FakeMessage(++last, "")) => {
    batches.put(message.real, () =>
      items.map((item, index) =>
        item === "!" ? { index, unreadable: "no gift" } : { index, key: item[0] as string, data: item },
      ),
    );
    return message;
  };
  const finishAll = async () => {
    while (running.length > 0) {
      running[0]?.done();
      await settled();
    }
  };
  return { ports, batches, put, calls, running, judge, finishAll };
}

const fate = ({ acked, naks }: FakeMessage) => `${acked} acks ${naks.length} naks`;
const isOver = async (promise: Promise<unknown>) => {
  await settled();
  return Promise.race([promise.then(() => true), settled().then(() => false)]);
};

beforeEach(fakeTimers);
afterEach(() => {
  jest.clearAllTimers();
  jest.useRealTimers();
});

test("items of one message may be in different batches; it is acked once, when the last of them is done", async () => {
  const { batches, put, calls, running } = open({ batch: 2, batchesInFlight: 2 });
  const message = put(["a1", "b1", "c1"]);
  await settled();
  expect([calls, batches.held]).toEqual([[["a1", "b1"], ["c1"]], 3]);
  running[1]?.done();
  await settled();
  expect([fate(message), batches.held]).toEqual(["0 acks 0 naks", 2]);
  running[0]?.done();
  await settled();
  expect([fate(message), batches.held]).toEqual(["1 acks 0 naks", 0]);
});

test("batches are bounded in items, not in messages", async () => {
  const { put, running } = open({ batch: 4 });
  put(["a1", "b1", "c1"]);
  put(["d1", "e1", "f1"]);
  await settled();
  expect(running[0]?.items).toEqual(["a1", "b1", "c1", "d1"]);
});

test("a key's items over many messages and batches are handled in their order, never in two batches at once; each message is acked once", async () => {
  const item = fc.constantFrom("a", "b", "c", "d");
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ put: fc.array(item, { minLength: 1, maxLength: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ done: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ away: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 500 }) }) },
    { weight: 1, arbitrary: fc.record({ again: fc.nat(20) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      const { put, batches, running } = open({ batch: 3, batchesInFlight: 3 });
      const messages: [string[], FakeMessage][] = [];
      const handled: string[] = [];
      const check = () => {
        const keys = running.flatMap(({ items }) => [...new Set(items.map(([key]) => key))]);
        expect(keys.length).toBe(new Set(keys).size);
      };
      const done = (at: number) => {
        handled.push(...(running[at]?.items ?? []));
        running[at]?.done();
      };
      let count = 0;
      for (const one of steps) {
        if ("put" in one) {
          const items = one.put.map((key) => `${key}${++count}`);
          messages.push([items, put(items)]);
        } else if ("done" in one) done(one.done);
        else if ("away" in one) running[one.away]?.fail(fail("unavailable"));
        else if ("pass" in one) await pass(one.pass);
        else {
          const [items, message] = messages[one.again] ?? [];
          if (items && message?.acked === 0) put(items, message);
        }
        await settled();
        check();
        const open = messages.filter(([items]) => items.some((item) => !handled.includes(item)));
        expect(messages.filter(([, { acked }]) => acked === 0)).toEqual(open);
      }
      while (batches.held > 0) {
        if (running.length === 0) await pass(retryMaxDelayMs);
        done(0);
        await settled();
        check();
      }
      const all = messages.flatMap(([items]) => items);
      for (const key of ["a", "b", "c", "d"])
        expect(handled.filter((item) => item.startsWith(key))).toEqual(all.filter((item) => item.startsWith(key)));
      for (const [, message] of messages) expect(fate(message)).toBe("1 acks 0 naks");
    }),
    { numRuns: 60 },
  );
});

test("an item that always fails, and one that cannot be read, are dead letters alone: the other items of the message are handled, and it is acked after them", async () => {
  const { ports, put, judge, calls } = open();
  const message = put(["a1", "!", "a2", "b1", "a3"]);
  const passed: string[] = [];
  judge.of = (items) => {
    if (items.includes("a2")) throw new Error("poison");
    passed.push(...items);
  };
  await settled();
  expect([ports.dead, fate(message)]).toEqual([
    [{ sequence: 1, item: 1, reason: "unreadable: no gift" }],
    "0 acks 0 naks",
  ]);
  await pass(longMs);
  expect(ports.dead[1]).toEqual({ sequence: 1, item: 2, reason: "poison" });
  expect([passed.filter(([key]) => key === "a"), passed.includes("b1")]).toEqual([["a1", "a3"], true]);
  expect(calls.filter((items) => items.join() === "a2")).toHaveLength(maxAttempts);
  expect(fate(message)).toBe("1 acks 0 naks");
});

test("an outage pauses the items that met it; those that are done are not handled again by this node", async () => {
  const { put, judge, calls } = open({ batch: 1, batchesInFlight: 2 });
  let away = true;
  judge.of = ([item]) => {
    if (away && item === "b1") throw fail("unavailable");
  };
  const message = put(["a1", "b1"]);
  await pass(retryMaxDelayMs);
  away = false;
  await pass(retryMaxDelayMs);
  expect(calls.filter(([item]) => item === "a1")).toHaveLength(1);
  expect(fate(message)).toBe("1 acks 0 naks");
});

test("where the dead letter of an item cannot be written, its message comes again, once its other items are handled", async () => {
  const { ports, put, running, batches } = open();
  ports.writeDead = () => Promise.reject(new Error("no answer"));
  const message = put(["a1", "!"]);
  await settled();
  expect(fate(message)).toBe("0 acks 0 naks");
  running[0]?.done();
  await settled();
  expect([message.acked, message.naks, batches.held]).toEqual([0, [retryMaxDelayMs], 0]);
  ports.writeDead = () => Promise.resolve();
  put(["a1", "!"], message);
  await settled();
  running[0]?.done();
  await settled();
  expect([message.acked, ports.dead.length]).toEqual([1, 1]);
});

test("a held message is extended once, however many items it has, until the last is done", async () => {
  const { put, finishAll, running } = open({ batch: 1 });
  const message = put(["a1", "b1", "c1"]);
  await settled();
  running[0]?.done();
  await pass(ackWaitMs);
  expect(message.workings).toBe(3);
  await finishAll();
  await pass(ackWaitMs);
  expect(message.workings).toBe(3);
});

describe("the end", () => {
  test("a message of which one item is done and one is not is given back whole", async () => {
    const { put, batches, running } = open({ batch: 1 });
    const message = put(["a1", "b1"]);
    await settled();
    running[0]?.done();
    await settled();
    const stop = batches.stop();
    running[0]?.fail(fail("unavailable"));
    expect(await isOver(stop)).toBe(true);
    expect([fate(message), batches.held, jest.getTimerCount()]).toEqual(["0 acks 1 naks", 0, 0]);
  });

  test("a message with an item in work stays until that is over; later messages with a key of it are given back after it", async () => {
    const { put, batches, running } = open({ batch: 1 });
    const given: string[] = [];
    const messages = [put(["x1", "a1"]), put(["a2", "b1"]), put(["b2"]), put(["c1"])];
    messages.forEach((message, n) => {
      message.nak = () => given.push(`m${n}`);
    });
    await settled();
    const stop = batches.stop();
    await pass(drainMs);
    expect(given).toEqual(["m3"]);
    running[0]?.done();
    expect(await isOver(stop)).toBe(true);
    expect([given, batches.held]).toEqual([["m3", "m0", "m1", "m2"], 0]);
  });

  test("many unreadable items do not keep a stop longer than its time", async () => {
    const { ports, put, batches } = open();
    ports.writeDead = () => new Promise((resolve) => setTimeout(resolve, 1_000));
    const message = put(Array.from({ length: 1_000 }, () => "!"));
    const stop = batches.stop();
    await pass(drainMs + 1_000);
    expect(await isOver(stop)).toBe(true);
    expect([fate(message), batches.held]).toEqual(["0 acks 1 naks", 0]);
  });
});
