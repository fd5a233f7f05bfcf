import fc from "fast-check";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { Gathering } from "../../../mixins/jetstream/batch-timer.ts";
import { Batches } from "../../../mixins/jetstream/batches.ts";
import { Unreadable } from "../../../mixins/jetstream/unreadable.ts";
import { FakeMessage, FakePorts, fakeTimers, pass, settled } from "./fake-messages.ts";

const { retryFirstDelayMs, retryMaxDelayMs, maxAttempts, ackWaitMs, drainMs } = limits.jetstream;
/** More than all tries of a poison message take. */
const longMs = maxAttempts * retryMaxDelayMs;

function open(bounds: { batch?: number; batchesInFlight?: number; gather?: Gathering } = {}) {
  const ports = new FakePorts();
  let freed = 0;
  const batches = new Batches({ durable: "durable", batch: 100, batchesInFlight: 1, ...bounds }, ports, () => {
    freed++;
  });
  let last = 0;
  const put = (key: string, message = new FakeMessage(++last, key)) => {
    batches.put(message.real, () => [{ index: undefined, key, data: { key } }]);
    return message;
  };
  /** So many messages of each key, in turn. */
  const putAll = (keys: string[], each: number) =>
    Array.from({ length: each }, () => keys.map((key) => put(key))).flat();
  return { ports, batches, put, putAll, freed: () => freed };
}

const sequences = (messages: FakeMessage[]) => messages.map(({ seq }) => seq);
const fates = (messages: FakeMessage[]) => messages.map(({ acked, naks }) => `${acked} acks ${naks.length} naks`);
const acked = (messages: FakeMessage[]) => messages.map(() => "1 acks 0 naks");

/** A handler that throws on batches with one of these, for ever or so often. */
const refusing = (bad: readonly number[], times = Number.POSITIVE_INFINITY) => {
  let left = times;
  return (batch: number[]) => {
    if (!batch.some((sequence) => bad.includes(sequence)) || left <= 0) return;
    left--;
    throw new Error("poison");
  };
};

beforeEach(fakeTimers);
afterEach(() => {
  jest.clearAllTimers();
  jest.useRealTimers();
});

describe("batches", () => {
  test("what comes together is one batch, what gathers meanwhile the next; acked once handled, not before", async () => {
    const { ports, putAll, batches } = open();
    const first = putAll(["a", "b"], 1);
    await settled();
    const second = putAll(["a", "b", "c"], 10);
    await settled();
    expect(ports.calls).toEqual([sequences(first)]);
    expect([fates(first), batches.held]).toEqual([["0 acks 0 naks", "0 acks 0 naks"], 32]);
    ports.running[0]?.done();
    await settled();
    expect(fates(first)).toEqual(acked(first));
    expect(ports.calls[1]?.sort((a, b) => a - b)).toEqual(sequences(second));
    ports.running[0]?.done();
    await settled();
    expect([fates(second), batches.held]).toEqual([acked(second), 0]);
  });

  test("the first after a pause starts at once; while more stream in, the next one gathers for its time", async () => {
    const { ports, put } = open({ batchesInFlight: 4, gather: { ms: 25 } });
    ports.judge = () => {};
    put("a");
    await settled();
    expect(ports.calls).toEqual([[1]]);
    for (let n = 0; n < 4; n++) {
      put("b");
      await pass(5);
    }
    expect(ports.calls).toEqual([[1]]);
    await pass(5);
    expect(ports.calls).toEqual([[1], [2, 3, 4, 5]]);
    await pass(25);
    put("c");
    await settled();
    expect(ports.calls).toEqual([[1], [2, 3, 4, 5], [6]]);
  });

  test("it gathers for longer while many arrive, and no longer than before where fewer do", async () => {
    const gather = { ms: 25, busy: { perSecond: 400, ms: 75 } };
    const { ports, put, putAll } = open({ batchesInFlight: 4, gather });
    ports.judge = () => {};
    const sizes = () => ports.calls.map((call) => call.length);
    put("a");
    await settled();
    putAll(["a", "b"], 5);
    await pass(25);
    expect(sizes()).toEqual([1]);
    putAll(["a", "b"], 10);
    await pass(50);
    expect(sizes()).toEqual([1, 30]);
    putAll(["a", "b"], 2);
    await pass(25);
    expect(sizes()).toEqual([1, 30, 4]);
  });

  test("a full one does not wait for its time", async () => {
    const { ports, put, putAll } = open({ batch: 3, batchesInFlight: 4, gather: { ms: 1_000 } });
    ports.judge = () => {};
    put("a");
    await settled();
    putAll(["a", "b"], 2);
    await pass(1);
    expect(ports.calls.map((call) => call.length)).toEqual([1, 3]);
    await pass(1_000);
    expect(ports.calls.map((call) => call.length)).toEqual([1, 3, 1]);
  });

  test("at the stop nothing waits for its time", async () => {
    const { ports, batches, put } = open({ gather: { ms: 60_000 } });
    ports.judge = () => {};
    put("a");
    await settled();
    const late = put("b");
    await settled();
    await batches.stop();
    expect([ports.calls, fates([late])]).toEqual([[[1], [2]], ["1 acks 0 naks"]]);
  });

  test("of a batch of which some could not be handled the others are acked at once; those pause with all of their key, in order", async () => {
    const { ports, batches, putAll } = open();
    const messages = putAll(["a", "b", "c"], 2);
    await settled();
    ports.running[0]?.failSome((key) => (key === "b" ? fail("unavailable") : undefined));
    await settled();
    const [ofB, others] = [["b"], ["a", "c"]].map((keys) => messages.filter(({ key }) => keys.includes(key)));
    expect(fates(others as FakeMessage[])).toEqual(acked(others as FakeMessage[]));
    expect(fates(ofB as FakeMessage[])).toEqual(["0 acks 0 naks", "0 acks 0 naks"]);
    const later = putAll(["b", "a"], 1);
    await settled();
    ports.running[0]?.done();
    await settled();
    expect(fates(later)).toEqual(["0 acks 0 naks", "1 acks 0 naks"]);
    await pass(retryFirstDelayMs);
    expect(ports.calls.at(-1)).toEqual([...sequences(ofB as FakeMessage[]), later[0]?.seq]);
    ports.running[0]?.done();
    await settled();
    expect([fates(messages), batches.held]).toEqual([acked(messages), 0]);
  });

  test("what pauses alone takes no room from the rest; a fault of some is tried alone and becomes a dead letter in the end", async () => {
    const { ports, batches, putAll } = open();
    putAll(["a", "b", "c"], 1);
    await settled();
    ports.running[0]?.failSome((key) =>
      key === "b" ? fail("unavailable") : key === "c" ? new Error("bug") : undefined,
    );
    await settled();
    expect(ports.running.map(({ keys }) => keys)).toEqual([["c"]]);
    expect([batches.held, batches.occupied.items]).toEqual([2, 1]);
    ports.judge = (seen) => {
      if (seen.includes(3)) throw new Error("bug");
    };
    ports.running[0]?.fail(new Error("bug"));
    await pass(longMs);
    expect(ports.dead).toEqual([{ sequence: 3, reason: "bug" }]);
    expect(batches.held).toBe(0);
  });

  test("what the handler named takes no room either where its batches have nothing else", async () => {
    const { ports, batches, putAll } = open();
    putAll(["b"], 1);
    await settled();
    for (let tries = 0; tries < 3; tries++) {
      ports.running[0]?.failSome(() => fail("unavailable"));
      await settled();
      expect([batches.held, batches.occupied.items]).toEqual([1, 0]);
      await pass(longMs);
    }
    ports.running[0]?.fail(fail("unavailable"));
    await settled();
    expect([batches.held, batches.occupied.items]).toEqual([1, 1]);
  });

  test("they are bounded, and so are those in flight", async () => {
    const { ports, putAll, freed } = open({ batch: 4, batchesInFlight: 2 });
    putAll(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], 1);
    await settled();
    expect(ports.running.map((one) => one.sequences.length)).toEqual([4, 4]);
    ports.running[0]?.done();
    await settled();
    expect(ports.running.map((one) => one.sequences.length)).toEqual([4, 2]);
    expect(freed()).toBe(1);
  });

  test("a key is handled in order, never in two batches at once, each message once, whatever comes when and is away", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ put: fc.constantFrom("a", "b", "c", "d") }) },
      { weight: 2, arbitrary: fc.record({ done: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ away: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 500 }) }) },
      { weight: 1, arbitrary: fc.record({ again: fc.nat(20) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { ports, put, batches } = open({ batch: 3, batchesInFlight: 3 });
        const messages: [string, FakeMessage][] = [];
        const handled = new Map<string, number[]>();
        const check = () => {
          const keys = ports.running.flatMap((one) => [...new Set(one.keys)]);
          expect(keys.length).toBe(new Set(keys).size);
        };
        const done = (at: number) => {
          const one = ports.running[at];
          one?.keys.forEach((key, n) => {
            handled.set(key, [...(handled.get(key) ?? []), one.sequences[n] as number]);
          });
          one?.done();
        };
        for (const one of steps) {
          if ("put" in one) messages.push([one.put, put(one.put)]);
          else if ("done" in one) done(one.done);
          else if ("away" in one) ports.running[one.away]?.fail(fail("unavailable"));
          else if ("pass" in one) await pass(one.pass);
          else {
            // Delivered again while it is held: the server has not heard of it for long.
            const [key, message] = messages[one.again] ?? [];
            if (message && message.acked === 0) put(key as string, message);
          }
          await settled();
          check();
        }
        while (batches.held > 0) {
          if (ports.running.length === 0) await pass(retryMaxDelayMs);
          done(0);
          await settled();
          check();
        }
        for (const key of ["a", "b", "c", "d"])
          expect(handled.get(key) ?? []).toEqual(sequences(messages.filter(([k]) => k === key).map(([, m]) => m)));
        for (const [, message] of messages) expect([message.acked, message.naks]).toEqual([1, []]);
      }),
      { numRuns: 60 },
    );
  });

  test("one that is delivered again while it is held is not handled twice; one that is done is, and is acked again", async () => {
    const { ports, put } = open();
    const message = put("a");
    await settled();
    put("a", message);
    ports.running[0]?.done();
    await settled();
    expect([ports.calls, message.acked]).toEqual([[[1]], 1]);
    put("a", message);
    await settled();
    ports.running[0]?.done();
    await settled();
    expect([ports.calls, message.acked]).toEqual([[[1], [1]], 2]);
  });

  test("a held message, in work, waiting or pausing, is not delivered again", async () => {
    const { ports, put } = open();
    const messages = [put("a")];
    await settled();
    messages.push(put("a"), put("b"));
    await pass(ackWaitMs);
    expect(messages.map(({ workings }) => workings)).toEqual([3, 3, 3]);
    ports.running[0]?.fail(fail("unavailable"));
    ports.judge = () => {
      throw fail("unavailable");
    };
    await pass(ackWaitMs);
    expect(messages.map(({ workings }) => workings)).toEqual([6, 6, 6]);
    ports.judge = () => {};
    await pass(retryMaxDelayMs);
    const told = messages.map(({ workings }) => workings);
    await pass(ackWaitMs);
    expect(messages.map(({ workings }) => workings)).toEqual(told);
    expect(fates(messages)).toEqual(acked(messages));
  });
});

describe("what fails", () => {
  test("a dependency that is away: the messages stay held and are retried with growing pauses, without limit", async () => {
    const { ports, putAll, batches } = open();
    const messages = putAll(["a"], 4);
    const tries: number[] = [];
    ports.judge = () => {
      tries.push(Date.now());
      throw fail("unavailable");
    };
    await pass(longMs * 2);
    const pauses = tries.slice(1).map((at, n) => at - (tries[n] as number));
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8].map((factor) => factor * retryFirstDelayMs));
    expect(new Set(pauses.slice(7))).toEqual(new Set([retryMaxDelayMs]));
    expect(tries.length).toBeGreaterThan(maxAttempts);
    expect([batches.held, ports.dead, fates(messages)]).toEqual([4, [], messages.map(() => "0 acks 0 naks")]);

    // An outage is not the messages' fault: a single fault after it does not make them dead letters.
    ports.judge = refusing(sequences(messages), 3);
    await pass(longMs);
    expect([ports.dead, fates(messages)]).toEqual([[], acked(messages)]);
  });

  test("a poison is found key by key and message by message: all others pass in order, and it goes to the dead letters", async () => {
    const { ports, putAll } = open();
    const messages = putAll(["a", "b", "c"], 4);
    const poison = messages[4] as FakeMessage;
    const passed: number[] = [];
    ports.judge = (batch) => {
      refusing([poison.seq])(batch);
      passed.push(...batch);
    };
    await settled();
    const [ofB, ofOthers] = [(seq: number) => seq % 3 === 2, (seq: number) => seq % 3 !== 2];
    expect(passed.filter(ofOthers)).toEqual([1, 4, 7, 10, 3, 6, 9, 12]);
    expect(passed.filter(ofB)).toEqual([2]);
    await pass(longMs);
    expect(passed.filter(ofB)).toEqual([2, 8, 11]);
    expect(ports.calls.filter((batch) => batch.length === 1 && batch[0] === poison.seq)).toHaveLength(maxAttempts);
    expect(ports.dead).toEqual([{ sequence: poison.seq, reason: "poison" }]);
    expect(fates(messages)).toEqual(acked(messages));
  });

  test("what a handler cannot read is a dead letter after one try alone, and holds up nothing of its key", async () => {
    const { ports, putAll } = open();
    const messages = putAll(["a"], 4);
    ports.judge = (batch) => {
      if (batch.includes(2)) throw new Unreadable("no JSON");
    };
    await pass(retryFirstDelayMs - 1);
    expect(ports.calls.filter((batch) => batch.length === 1 && batch[0] === 2)).toHaveLength(1);
    expect(ports.dead).toEqual([{ sequence: 2, reason: "no JSON" }]);
    expect(fates(messages)).toEqual(acked(messages));
  });

  test("a fault that passes is tried again and leaves no dead letter", async () => {
    const { ports, putAll } = open();
    const messages = putAll(["a", "b"], 2);
    ports.judge = refusing([1], maxAttempts - 1);
    await pass(longMs);
    expect([ports.dead, fates(messages)]).toEqual([[], acked(messages)]);
  });

  test("the copy is safe in the dead letters before its original is acked; where it cannot be written the message comes again", async () => {
    const { ports, batches, put } = open();
    let written = () => {};
    ports.writeDead = () =>
      new Promise((resolve) => {
        written = resolve;
      });
    const unreadable = new FakeMessage(1, "a");
    const putUnreadable = () => batches.put(unreadable.real, () => [{ index: undefined, unreadable: "no JSON" }]);
    putUnreadable();
    const neighbour = put("a", new FakeMessage(2, "a"));
    await settled();
    expect([unreadable.acked, ports.calls]).toEqual([0, [[2]]]);
    ports.running[0]?.done();
    written();
    await settled();
    expect([unreadable.acked, ports.dead[0]?.reason, neighbour.acked]).toEqual([1, "unreadable: no JSON", 1]);

    ports.writeDead = () => Promise.reject(new Error("no answer"));
    putUnreadable();
    await settled();
    expect([unreadable.acked, unreadable.naks, ports.dead.length]).toEqual([1, [retryMaxDelayMs], 1]);
    ports.writeDead = () => Promise.resolve();
    putUnreadable();
    await settled();
    expect([unreadable.acked, ports.dead.length]).toEqual([2, 2]);
  });
});

/** Whether a promise is fulfilled by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  await settled();
  return Promise.race([promise.then(() => true), settled().then(() => false)]);
}

describe("the end", () => {
  test("stop handles what is held and then resolves", async () => {
    const { ports, putAll, batches } = open({ batch: 2 });
    const messages = putAll(["a", "b", "c"], 1);
    await settled();
    const stop = batches.stop();
    expect(await isOver(stop)).toBe(false);
    ports.running[0]?.done();
    await settled();
    ports.running[0]?.done();
    expect(await isOver(stop)).toBe(true);
    expect([fates(messages), batches.held, jest.getTimerCount()]).toEqual([acked(messages), 0, 0]);
  });

  test("stop gives back what cannot be handled any more, and what comes after it", async () => {
    const { ports, put, batches } = open({ batch: 1 });
    const messages = [put("a"), put("b")];
    await settled();
    const stop = batches.stop();
    ports.running[0]?.fail(fail("unavailable"));
    expect(await isOver(stop)).toBe(true);
    messages.push(put("c"));
    await settled();
    expect(messages.map(({ acked, naks }) => [acked, naks])).toEqual([
      [0, [0]],
      [0, [0]],
      [0, [0]],
    ]);
    await pass(longMs);
    expect([ports.calls, jest.getTimerCount()]).toEqual([[[1]], 0]);
  });

  test("a stop whose time is over while keys are tried by themselves begins no further one, and gives the rest back", async () => {
    const { ports, putAll, batches } = open();
    const messages = putAll(["a", "b", "c"], 1);
    await settled();
    ports.running[0]?.fail(new Error("poison"));
    await settled();
    const stop = batches.stop();
    await pass(drainMs);
    ports.running[0]?.done();
    expect(await isOver(stop)).toBe(true);
    expect(ports.calls).toEqual([[1, 2, 3], [1]]);
    expect(fates(messages)).toEqual(["1 acks 0 naks", "0 acks 1 naks", "0 acks 1 naks"]);
  });

  const away = ({ ports }: ReturnType<typeof open>) => ports.running[0]?.fail(fail("unavailable"));

  test.each<[string, number, (opened: ReturnType<typeof open>, stop: () => Promise<void>) => Promise<void>]>([
    [
      "is in flight and fails",
      1,
      async (opened, stop) => {
        void stop();
        away(opened);
      },
    ],
    [
      "is in flight and fails after the time is over",
      1,
      async (opened, stop) => {
        void stop();
        await pass(drainMs);
        away(opened);
      },
    ],
    [
      "pauses between two tries until the time is over",
      1,
      async (opened, stop) => {
        for (let tries = 0; retryFirstDelayMs * 2 ** tries < drainMs; tries++) {
          away(opened);
          await pass(retryFirstDelayMs * 2 ** tries);
        }
        away(opened);
        await settled();
        void stop();
        await pass(drainMs);
      },
    ],
    [
      "is tried alone, after a fault of the batch they are both in, and fails",
      2,
      async (opened, stop) => {
        void stop();
        opened.ports.running[0]?.fail(new Error("poison"));
        await settled();
        away(opened);
      },
    ],
  ])("stop gives a key's messages back in their order where the first %s", async (_what, batch, until) => {
    const opened = open({ batch });
    const given: number[] = [];
    const messages = opened.putAll(["a"], 3);
    for (const message of messages) message.nak = () => given.push(message.seq);
    await settled();
    let stopping: Promise<void> | undefined;
    await until(opened, () => {
      stopping = opened.batches.stop();
      return stopping;
    });
    expect(await isOver(stopping as Promise<void>)).toBe(true);
    expect([given, opened.batches.held]).toEqual([sequences(messages), 0]);
  });

  test("stop waits no longer than its time for those that wait, and lets a batch in flight end", async () => {
    const { ports, put, batches } = open({ batch: 1 });
    const messages = [put("a"), put("b")];
    await settled();
    const stop = batches.stop();
    await pass(drainMs);
    expect(fates(messages)).toEqual(["0 acks 0 naks", "0 acks 1 naks"]);
    ports.running[0]?.done();
    expect(await isOver(stop)).toBe(true);
    expect(fates(messages)).toEqual(["1 acks 0 naks", "0 acks 1 naks"]);
  });

  test("stop does not wait for a last message that went to the dead letters", async () => {
    const { ports, put, batches } = open();
    const last = put("a");
    for (let faults = 1; faults < maxAttempts; faults++) {
      await settled();
      ports.running[0]?.fail(new Error("poison"));
      await pass(retryMaxDelayMs);
    }
    const stop = batches.stop();
    ports.running[0]?.fail(new Error("poison"));
    expect(await isOver(stop)).toBe(true);
    expect([ports.dead.length, fates([last])]).toEqual([1, acked([last])]);
  });

  test("a message of a stream that was made again is another one than the held one of the same sequence", async () => {
    const { ports, put } = open({ batchesInFlight: 2 });
    const old = put("a", new FakeMessage(1, "a", "durable"));
    const fresh = put("b", new FakeMessage(1, "b", "durable-m1"));
    const repeated = put("b", new FakeMessage(1, "b", "durable-m1"));
    await settled();
    while (ports.running.length > 0) {
      ports.running[0]?.done();
      await settled();
    }
    expect([old.acked, fresh.acked, repeated.acked, ports.calls.flat()]).toEqual([1, 1, 0, [1, 1]]);
  });

  test("what is held of a stream is over once it is acked, or in the dead letters", async () => {
    const { ports, put, batches } = open({ batchesInFlight: 2 });
    put("a", new FakeMessage(1, "a", "durable", "S-1"));
    await settled();
    put("b", new FakeMessage(2, "b", "durable", "S-2"));
    await settled();
    const [one, two, three] = [1, 2, 3].map((n) => batches.handled(`S-${n}`)) as Promise<void>[];
    expect(await Promise.all([one, two, three].map((over) => isOver(over as Promise<void>)))).toEqual([
      ...[false, false, true],
    ]);
    ports.running[0]?.done();
    expect(await Promise.all([one, two].map((over) => isOver(over as Promise<void>)))).toEqual([true, false]);
    ports.running[0]?.fail(new Unreadable("no JSON"));
    expect([await isOver(two as Promise<void>), ports.dead.length]).toEqual([true, 1]);
  });

  test.each<[string, unknown]>([
    ["a dependency that is away", fail("unavailable")],
    ["a fault", new Error("poison")],
  ])(
    "of a stream for which another node waits, what fails by %s is given back, and what waits; what is in work is handled",
    async (_what, error) => {
      const { ports, put, batches } = open({ batchesInFlight: 3 });
      const given: number[] = [];
      const message = (seq: number, key: string, stream: string) => {
        const one = new FakeMessage(seq, key, "durable", stream);
        one.nak = () => given.push(seq);
        return put(key, one);
      };
      for (const [at, key] of ["a", "b", "c"].entries()) {
        message(at + 1, key, key === "c" ? "S-2" : "S-1");
        await settled();
      }
      for (const seq of [4, 5]) message(seq, "a", "S-1");
      message(6, "b", "S-1");
      const over = batches.handled("S-1");
      ports.running[2]?.fail(error);
      ports.running[0]?.fail(error);
      await pass(retryFirstDelayMs + 1);
      expect([given, ports.calls]).toEqual([
        [1, 4, 5],
        [[1], [2], [3], [3]],
      ]);
      ports.running.find(({ keys }) => keys[0] === "b")?.done();
      expect([await isOver(over), given, batches.held]).toEqual([true, [1, 4, 5, 6], 1]);
    },
  );

  test("once a message of such a stream was given back, no later one of its key is handled here", async () => {
    const { ports, batches, freed } = open({ batch: 1, batchesInFlight: 2 });
    const given: number[] = [];
    const put = (seq: number, keys: string[]) => {
      const one = new FakeMessage(seq, keys.join(), "durable", "S-1");
      one.nak = () => given.push(seq);
      batches.put(one.real, () => keys.map((key, index) => ({ index, key, data: { key } })));
    };
    put(1, ["pausing"]);
    await settled();
    ports.running[0]?.fail(fail("unavailable"));
    await settled();
    put(2, ["t"]);
    put(3, ["u"]);
    await settled();
    put(4, ["h"]);
    put(5, ["t", "h"]);
    const over = batches.handled("S-1");
    const before = freed();
    await pass(1);
    expect([given, freed() > before]).toEqual([[1, 4], true]);
    // Message 5 stays, since key t is in work.
    ports.running.find(({ keys }) => keys[0] === "u")?.done();
    await settled();
    expect([given, ports.running.map(({ keys }) => keys)]).toEqual([[1, 4], [["t"]]]);
    ports.running[0]?.done();
    expect([await isOver(over), given, ports.running.length, batches.held]).toEqual([true, [1, 4, 5], 0, 0]);
  });

  test("what pauses when another node begins to wait is given back at once; of a message that holds many, once nothing of it is in work", async () => {
    const { ports, put, batches } = open({ batch: 1, batchesInFlight: 2 });
    const pausing = put("a");
    await settled();
    for (let tries = 0; tries < 5; tries++) {
      ports.running[0]?.fail(fail("unavailable"));
      await pass(tries === 4 ? 0 : retryMaxDelayMs);
    }
    const many = new FakeMessage(2, "b");
    batches.put(many.real, () => ["b", "c"].map((key, index) => ({ index, key, data: { key } })));
    await settled();
    const over = batches.handled("STREAM");
    await pass(1);
    expect([fates([pausing, many]), ports.running.length]).toEqual([["0 acks 1 naks", "0 acks 0 naks"], 2]);
    ports.running.find(({ keys }) => keys[0] === "b")?.fail(fail("unavailable"));
    await pass(retryFirstDelayMs + 1);
    ports.running.find(({ keys }) => keys[0] === "c")?.done();
    await settled();
    expect([fates([many]), await isOver(over), batches.held]).toEqual([["0 acks 1 naks"], true, 0]);
  });
});
