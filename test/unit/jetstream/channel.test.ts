import type { JetStreamClient, JetStreamManager } from "nats";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { Channel } from "../../../mixins/jetstream/channel.ts";
import type { ChannelDefinition } from "../../../mixins/jetstream/channel-definition.ts";
import { Unreadable } from "../../../mixins/jetstream/unreadable.ts";
import { FakeMessage, FakePorts, fakeTimers, pass, settled } from "./fake-messages.ts";

/** Names of streams and subjects have the namespace's prefix; nothing is connected to. */
Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const { ackWaitMs, fetchExpiresMs, fetchRetryMs, fetchSilentMs, takeOverPollMs } = limits.jetstream;

/** One durable consumer on the server: what waits in it, and the pulls it was asked for. */
class FakeConsumer {
  readonly waiting: FakeMessage[] = [];
  /** How many messages each pull asked for. */
  readonly pulls: number[] = [];
  pulling = 0;
  broken = false;
  /** Pulls get no answer, not even their end, as where the consumer is gone. */
  mute = false;
  /** Messages that another node has and has not acked. */
  elsewhere = 0;
  private wake: () => void = () => {};

  add(...messages: FakeMessage[]): void {
    this.waiting.push(...messages);
    this.wake();
  }

  async fetch({ max_messages, expires }: { max_messages: number; expires: number }) {
    if (this.broken) throw new Error("no responders");
    if (this.mute) return this.silence();
    this.pulls.push(max_messages);
    return Object.assign(this.deliver(max_messages, expires), { monitor: this.monitor });
  }

  /** The client's monitor of heartbeats, of each pull. */
  readonly monitor = { cancel: jest.fn() };

  private silence() {
    const { promise, resolve } = Promise.withResolvers<IteratorResult<never>>();
    const close = () => resolve({ done: true, value: undefined });
    return { close, [Symbol.asyncIterator]: () => ({ next: () => promise }) };
  }

  private async *deliver(max: number, expiresMs: number) {
    this.pulling++;
    const until = Date.now() + expiresMs;
    for (let left = max; left > 0 && Date.now() < until; ) {
      const message = this.waiting.shift();
      if (message) {
        left--;
        yield message.real;
      } else
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, until - Date.now());
          this.wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
    }
    this.pulling--;
  }
}

class FakeLease {
  free = true;
  asked = 0;
  /** How long the answer takes. */
  answerMs = 0;

  async take() {
    this.asked++;
    if (this.answerMs > 0) await new Promise((resolve) => setTimeout(resolve, this.answerMs));
    if (!this.free) return undefined;
    this.free = false;
    return {
      unlock: async () => {
        this.free = true;
      },
    };
  }
}

const key = (data: { key: string }) => data.key;

async function open(over: Partial<ChannelDefinition> = {}) {
  const ports = new FakePorts();
  const consumers = new Map<string, FakeConsumer>();
  const leases = new Map<string, FakeLease>();
  const consumer = (name: string) => {
    if (!consumers.has(name)) consumers.set(name, new FakeConsumer());
    return consumers.get(name) as FakeConsumer;
  };
  const lease = (name: string) => {
    if (!leases.has(name)) leases.set(name, new FakeLease());
    return leases.get(name) as FakeLease;
  };
  const manager = {
    consumers: {
      info: async (_stream: string, name: string) => {
        const { elsewhere, pulling } = consumer(name);
        return { num_ack_pending: elsewhere, num_waiting: pulling };
      },
    },
  } as unknown as JetStreamManager;
  const client = {
    consumers: { get: async (_stream: string, name: string) => consumer(name) },
  } as unknown as JetStreamClient;
  const definition = {
    ...{
      stream: { name: "S", subjects: ["s.*"], kind: "queue" },
      durable: "d",
      batch: 10,
      batchesInFlight: 1,
      key,
      handler: async () => {},
    },
    ...over,
  } as ChannelDefinition;
  const withLeases = definition.stream.partitions
    ? { ...ports, lease: (name: string) => lease(name).take() }
    : { ...ports, lease: undefined };
  // The methods of a class are not among what the spread copies.
  const channel = new Channel(definition, {
    ...withLeases,
    handle: (messages) => ports.handle(messages),
    publishDead: (...letter) => ports.publishDead(...letter),
  });
  channel.start(manager, client);
  return { channel, ports, consumer, lease };
}

let last = 0;
const messages = (count: number, of: string, consumer = "d") =>
  Array.from({ length: count }, () => new FakeMessage(++last, of, consumer, `unit_${consumer.replace("d", "S")}`));
const finishAll = async (ports: FakePorts) => {
  while (ports.running.length > 0) {
    ports.running[0]?.done();
    await settled();
  }
};

beforeEach(() => {
  last = 0;
  fakeTimers();
});
afterEach(() => {
  jest.clearAllTimers();
  jest.useRealTimers();
});

describe("pulling", () => {
  test("an idle channel handles a message at once, a busy one what gathered meanwhile", async () => {
    const { channel, ports, consumer } = await open();
    await channel.pull([0]);
    await settled();
    consumer("d").add(...messages(1, "a"));
    await settled();
    expect(ports.calls).toEqual([[1]]);
    consumer("d").add(...messages(2, "a"), ...messages(2, "b"));
    await settled();
    ports.running[0]?.done();
    await settled();
    expect(ports.calls.map((batch) => batch.sort())).toEqual([[1], [2, 3, 4, 5]]);
  });

  test("asks for no more than there is room for, and again as soon as there is", async () => {
    const { channel, ports, consumer } = await open({ heldMessages: 20 });
    const { add, pulls } = { add: (n: number) => consumer("d").add(...messages(n, "a")), pulls: consumer("d").pulls };
    await channel.pull([0]);
    add(100);
    await settled();
    expect([pulls, channel.held, consumer("d").waiting.length]).toEqual([[20], 20, 80]);
    await pass(10 * fetchExpiresMs);
    expect([pulls.length, ports.calls.length]).toEqual([1, 1]);
    ports.running[0]?.done();
    await settled();
    expect([pulls, channel.held]).toEqual([[20, 20], 30]);
    await finishAll(ports);
    expect([ports.calls.flat().length, channel.held]).toEqual([100, 0]);
    expect(Math.max(...ports.calls.map((batch) => batch.length))).toBe(10);
  });

  test("what is no JSON, or what `parse` refuses, goes to the dead letters, and its neighbours are handled", async () => {
    const parse = (data: unknown) => {
      if ((data as { key: string }).key === "bad") throw new Error("no gift");
      return data;
    };
    const { channel, ports, consumer } = await open({ parse });
    await channel.pull([0]);
    const [good, bad, broken] = [...messages(1, "a"), ...messages(1, "bad"), ...messages(1, "a")] as FakeMessage[];
    Object.assign(broken as object, { data: new TextEncoder().encode("{") });
    consumer("d").add(good as FakeMessage, bad as FakeMessage, broken as FakeMessage);
    await settled();
    await finishAll(ports);
    expect(ports.calls).toEqual([[1]]);
    expect(ports.dead.map(({ sequence, reason }) => [sequence, reason.slice(0, 20)])).toEqual([
      [2, "unreadable: no gift"],
      [3, "unreadable: Expected"],
    ]);
    expect([good, bad, broken].map((message) => message?.acked)).toEqual([1, 1, 1]);
  });

  test("goes on after a pull that failed", async () => {
    const { channel, ports, consumer } = await open();
    consumer("d").broken = true;
    await channel.pull([0]);
    await pass(3 * fetchRetryMs);
    consumer("d").broken = false;
    consumer("d").add(...messages(1, "a"));
    await pass(2 * fetchRetryMs);
    expect(ports.calls).toEqual([[1]]);
  });

  test("a pull does not watch heartbeats: where they are late, the client would drop what it requests twice", async () => {
    const { channel, consumer } = await open();
    await channel.pull([0]);
    await settled();
    expect(consumer("d").monitor.cancel).toHaveBeenCalledTimes(consumer("d").pulls.length);
  });

  test("a pull that gets no answer is given up, and the consumer is looked up again", async () => {
    const { channel, ports, consumer } = await open();
    const looked = jest.spyOn(ports.log, "warn");
    consumer("d").mute = true;
    await channel.pull([0]);
    await settled();
    consumer("d").mute = false;
    consumer("d").add(...messages(1, "a"));
    await pass(fetchExpiresMs + fetchSilentMs + 2 * fetchRetryMs);
    expect(ports.calls).toEqual([[1]]);
    expect(looked).toHaveBeenCalledTimes(1);
  });

  test("stop pulls no more, handles what came, and resolves", async () => {
    const { channel, ports, consumer } = await open();
    await channel.pull([0]);
    consumer("d").add(...messages(3, "a"));
    await settled();
    const stop = channel.stop();
    const late = messages(1, "a");
    consumer("d").add(...late);
    await pass(fetchExpiresMs);
    await finishAll(ports);
    await stop;
    const pulls = consumer("d").pulls.length;
    await pass(5 * fetchExpiresMs);
    expect([ports.calls.flat(), channel.held, consumer("d").pulls.length]).toEqual([[1, 2, 3, 4], 0, pulls]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("messages that hold many items", () => {
  const leastBytes = 10;
  const split = { items: (data: unknown) => data as unknown[], alone: (item: unknown) => [item], leastBytes };
  /** A message of so many items. An item has 12 bytes and more. */
  const group = (items: number) => {
    const message = new FakeMessage(++last, "", "d", "unit_S");
    const data = new TextEncoder().encode(JSON.stringify(Array.from({ length: items }, () => ({ key: "abc" }))));
    return Object.assign(message, { data }) as FakeMessage;
  };

  test("what is held is counted in items, and pulls ask for messages, so that they bring no more items than that again", async () => {
    const { channel, ports, consumer } = await open({ split, heldMessages: 100 });
    await channel.pull([0]);
    consumer("d").add(...Array.from({ length: 400 }, () => group(7)));
    for (let n = 0; n < 20; n++) {
      await settled();
      expect(channel.held).toBeLessThanOrEqual(2 * 100);
      expect(channel.held).toBeGreaterThanOrEqual(70);
      ports.running[0]?.done();
    }
    expect(Math.max(...ports.calls.map((batch) => batch.length))).toBe(10);
    for (let left = 1; left > 0; left = channel.held + consumer("d").waiting.length) {
      await pass(1);
      await finishAll(ports);
    }
    expect(ports.calls.flat().length).toBe(2_800);
    expect([consumer("d").pulls[0], consumer("d").pulls.at(-1)]).toEqual([1, Math.floor(100 / 7)]);
  });

  test("while messages are small a pull asks for many, up to a bound; a large one makes the next pulls small at once", async () => {
    const { channel, ports, consumer } = await open({ split, heldMessages: 1_000, batch: 1_000 });
    ports.judge = () => {};
    await channel.pull([0]);
    const { pulls } = consumer("d");
    consumer("d").add(...Array.from({ length: 200 }, () => group(1)));
    await pass(2 * fetchExpiresMs);
    expect(pulls.at(-1)).toBe(limits.jetstream.splitPullMessages);
    consumer("d").add(...Array.from({ length: 100 }, () => group(100)));
    await pass(10 * fetchExpiresMs);
    expect(ports.calls.flat().length).toBe(200 + 100 * 100);
    expect(pulls.at(-1)).toBe(1_000 / 100);
  });

  test("the first pulls ask for one message each, since nobody knows how many items it has", async () => {
    const { channel, ports, consumer } = await open({ split, heldMessages: 200, batch: 1_000 });
    ports.judge = () => {};
    await channel.pull([0]);
    consumer("d").add(group(100), group(100), group(100));
    await settled();
    expect(consumer("d").pulls.slice(0, 3)).toEqual([1, 1, 1]);
  });
});

describe("partitions", () => {
  const partitioned = { stream: { name: "S", subjects: ["s.*"], kind: "queue", partitions: 2 } } as const;

  test("only those that are wanted are pulled", async () => {
    const { channel, consumer, lease } = await open(partitioned);
    await channel.pull([1]);
    await settled();
    expect([consumer("d-0").pulling, consumer("d-1").pulling, lease("d-0").asked]).toEqual([0, 1, 0]);
  });

  test("messages of the same place in two streams are two", async () => {
    const { channel, ports, consumer } = await open(partitioned);
    await channel.pull([0, 1]);
    await settled();
    for (const n of [0, 1]) consumer(`d-${n}`).add(new FakeMessage(7, `of-${n}`, `d-${n}`, `S-${n}`));
    await settled();
    await finishAll(ports);
    expect(ports.calls.flat()).toEqual([7, 7]);
  });

  test("one is pulled once its lease is free and nobody else has or pulls of it, or the ack wait is over", async () => {
    const { channel, consumer, lease } = await open(partitioned);
    lease("d-0").free = false;
    consumer("d-1").elsewhere = 1;
    await channel.pull([0, 1]);
    await pass(5 * takeOverPollMs);
    expect([consumer("d-0").pulling, consumer("d-1").pulling]).toEqual([0, 0]);
    lease("d-0").free = true;
    await pass(takeOverPollMs);
    expect([consumer("d-0").pulling, consumer("d-1").pulling]).toEqual([1, 0]);
    await pass(ackWaitMs);
    expect(consumer("d-1").pulling).toBe(1);
  });

  test("one that is handed over is handled to its end before its lease is given back", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0]);
    consumer("d-0").add(...messages(2, "a", "d-0"));
    await settled();
    let over = false;
    const handing = channel.pull([1]).then(() => {
      over = true;
    });
    await pass(2 * fetchExpiresMs);
    expect([consumer("d-0").pulling, consumer("d-1").pulling, lease("d-0").free, over]).toEqual([0, 1, false, false]);
    ports.running[0]?.done();
    await handing;
    expect([lease("d-0").free, lease("d-1").free]).toEqual([true, false]);
  });

  test("one whose last message goes to the dead letters is handed over as well", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0]);
    consumer("d-0").add(...messages(1, "a", "d-0"));
    await settled();
    const handing = channel.pull([]);
    await pass(2 * fetchExpiresMs);
    expect(lease("d-0").free).toBe(false);
    ports.running[0]?.fail(new Unreadable("poison"));
    await handing;
    expect([ports.dead.length, lease("d-0").free]).toEqual([1, true]);
  });

  test("one whose message cannot be handled for now is handed over with it", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0]);
    const [first, second] = messages(2, "a", "d-0");
    consumer("d-0").add(first as FakeMessage, second as FakeMessage);
    ports.judge = () => {
      throw fail("unavailable");
    };
    await pass(10 * limits.jetstream.retryMaxDelayMs);
    const handing = channel.pull([]);
    await pass(2 * fetchExpiresMs);
    await handing;
    expect([first?.naks, second?.naks, channel.held, lease("d-0").free]).toEqual([[0], [0], 0, true]);
  });

  test("a lease that comes when the partition is not wanted any more is given back", async () => {
    const { channel, consumer, lease } = await open(partitioned);
    lease("d-0").answerMs = 300;
    await channel.pull([0]);
    await pass(100);
    await channel.pull([]);
    await pass(1_000);
    expect([lease("d-0").asked, lease("d-0").free, consumer("d-0").pulls]).toEqual([1, true, []]);

    await channel.pull([0]);
    await pass(100);
    let stopped = false;
    const stop = channel.stop().then(() => {
      stopped = true;
    });
    await pass(100);
    expect(stopped).toBe(false);
    await pass(1_000);
    await stop;
    expect([lease("d-0").asked, lease("d-0").free, consumer("d-0").pulls]).toEqual([2, true, []]);
  });

  test("one that is not wanted any more while another still has of it is not pulled", async () => {
    const { channel, consumer, lease } = await open(partitioned);
    consumer("d-0").elsewhere = 1;
    await channel.pull([0]);
    await pass(2 * takeOverPollMs);
    await channel.pull([]);
    await pass(2 * ackWaitMs);
    expect([consumer("d-0").pulls, lease("d-0").free]).toEqual([[], true]);
  });

  test("one that is wanted again while it is handed over is pulled again, by one puller, with its lease", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0]);
    await settled();
    consumer("d-0").add(...messages(1, "a", "d-0"));
    await settled();
    void channel.pull([]);
    await pass(fetchExpiresMs / 2);
    void channel.pull([0]);
    await pass(fetchExpiresMs);
    ports.running[0]?.done();
    await pass(ackWaitMs);
    expect([consumer("d-0").pulling, lease("d-0").free, lease("d-0").asked]).toEqual([1, false, 1]);
    consumer("d-0").add(...messages(1, "a", "d-0"));
    await settled();
    expect(ports.calls).toEqual([[1], [2]]);
  });

  test("however often the wish changes, in the end just what is wanted is pulled and leased", async () => {
    const { channel, consumer, lease } = await open(partitioned);
    lease("d-0").answerMs = 70;
    lease("d-1").answerMs = 130;
    for (let n = 0; n < 40; n++) {
      void channel.pull([[], [0], [1], [0, 1]][n % 4] as number[]);
      await pass((n * 37) % 180);
    }
    await channel.pull([1]);
    await pass(ackWaitMs + 2 * fetchExpiresMs);
    expect([consumer("d-0").pulling, consumer("d-1").pulling]).toEqual([0, 1]);
    expect([lease("d-0").free, lease("d-1").free]).toEqual([true, false]);
  });

  test("stop hands all of them over, what cannot be handled given back to the other nodes", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0, 1]);
    const [held] = messages(1, "a", "d-0");
    consumer("d-0").add(held as FakeMessage);
    await settled();
    const handing = channel.pull([1]);
    const stop = channel.stop();
    await pass(fetchExpiresMs);
    ports.running[0]?.fail(fail("unavailable"));
    await Promise.all([handing, stop]);
    await settled();
    expect([held?.acked, held?.naks, lease("d-0").free, lease("d-1").free]).toEqual([0, [0], true, true]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("one that is left gives back what it holds and its leases, and may be pulled again", async () => {
    const { channel, ports, consumer, lease } = await open(partitioned);
    await channel.pull([0, 1]);
    const [held, later] = messages(2, "a", "d-0") as [FakeMessage, FakeMessage];
    consumer("d-0").add(held);
    await settled();
    const leave = channel.leave();
    await pass(fetchExpiresMs);
    ports.running[0]?.fail(fail("unavailable"));
    await leave;
    expect([held.acked, held.naks, channel.held]).toEqual([0, [0], 0]);
    expect([lease("d-0").free, lease("d-1").free, consumer("d-0").pulling]).toEqual([true, true, 0]);

    await channel.pull([0]);
    await settled();
    consumer("d-0").add(later);
    await settled();
    expect([lease("d-0").free, ports.calls.at(-1)]).toEqual([false, [2]]);
    await finishAll(ports);
    expect(later.acked).toBe(1);
    const stop = channel.stop();
    await pass(fetchExpiresMs);
    await stop;
  });
});
