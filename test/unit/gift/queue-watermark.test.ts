import { limits } from "../../../config/limits.ts";
import { type PartitionState, QueueWatermark } from "../../../services/gift/queue-watermark.ts";

/** A queue of partitions as JetStream shows it, with clocks that the test sets. */
class Queue {
  readonly streams: {
    messages: Map<number, number>;
    last: number;
    lastMs: number;
    created: string;
    replicas: number;
  }[];
  /** The server's clock, ms. */
  clock = 1_000_000;
  nodeMs = 0;
  markers = 0;
  looks = 0;
  /** Called before a marker is stored. */
  beforeMarker: (partition: number) => void = () => {};
  readonly watermark: QueueWatermark;

  constructor(partitions = 2, replicas = 1) {
    this.streams = Array.from({ length: partitions }, () => {
      return { messages: new Map<number, number>(), last: 0, lastMs: 0, created: "first", replicas };
    });
    this.watermark = new QueueWatermark({
      partitions,
      state: async (partition) => this.state(partition),
      publishMarker: async (partition) => {
        this.beforeMarker(partition);
        this.markers++;
        const sequence = this.store(partition);
        // A settler skips it.
        this.streams[partition]?.messages.delete(sequence);
        return sequence;
      },
      now: () => this.nodeMs,
    });
  }

  private stream(partition: number) {
    const stream = this.streams[partition];
    if (!stream) throw new Error("no such partition");
    return stream;
  }

  private state(partition: number): PartitionState {
    this.looks++;
    const { messages, last, lastMs, created, replicas } = this.stream(partition);
    const [firstSequence = last + 1, firstMs = 0] = [...messages][0] ?? [];
    return {
      ...{ identity: { created }, firstSequence, firstMs, lastSequence: last, lastMs, replicas },
      messages: messages.size,
    };
  }

  /** Stores a message of the present, or of another clock; returns its sequence. */
  store(partition: number, ms = this.clock): number {
    const stream = this.stream(partition);
    stream.messages.set(++stream.last, ms);
    stream.lastMs = ms;
    return stream.last;
  }

  settle(partition: number, sequence: number): void {
    this.stream(partition).messages.delete(sequence);
  }

  /** The time of a message of another stream, stored now. */
  bell(): number {
    return ++this.clock;
  }

  /** Asks as often as it takes until nothing changes by asking. */
  async ask(ms: number) {
    for (let n = 0; n < 3; n++) {
      this.nodeMs += limits.gift.markerEveryMs;
      const answer = await this.watermark.settledBefore(ms);
      if (answer.settled) return answer;
    }
    return this.watermark.settledBefore(ms);
  }
}

test("a gift that was stored before the time holds the answer up, one that was stored at it or later does not", async () => {
  const queue = new Queue();
  const early = queue.store(0);
  const bell = queue.bell();
  queue.store(0);
  queue.store(1);
  expect(await queue.ask(bell)).toEqual({ settled: false, oldest: new Date(bell - 1).toISOString() });
  queue.settle(0, early);
  expect(await queue.ask(bell)).toEqual({ settled: true, oldest: null });
  expect(queue.markers).toBe(0);
});

test("partitions without messages get one marker each, however many battles end together, and later ones none before", async () => {
  const queue = new Queue(8);
  const bells = Array.from({ length: 300 }, () => queue.bell());
  const answers = await Promise.all(bells.map((bell) => queue.watermark.settledBefore(bell)));
  expect(answers.every(({ settled }) => settled)).toBe(true);
  expect([queue.markers, queue.looks]).toEqual([8, 16]);
  await queue.ask(bells[0] as number);
  expect(queue.looks).toBe(16);
});

test("a gift of an earlier time that is not visible yet is not overlooked: it is stored in front of the marker", async () => {
  const queue = new Queue();
  queue.store(1, queue.clock + 100);
  const bell = queue.bell();
  let late = 0;
  queue.beforeMarker = (partition) => {
    if (partition === 0 && late === 0) late = queue.store(0, bell - 1);
  };
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.settle(0, late);
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("with replicas a marker is published even where messages are newer, and the servers' clocks may differ by the margin", async () => {
  const queue = new Queue(1, 3);
  const bell = queue.bell();
  queue.settle(0, queue.store(0, bell + 1));
  let late = 0;
  queue.beforeMarker = () => {
    // What the leader before had stored, of which this one shows nothing yet.
    if (late === 0) late = queue.store(0, bell - 1);
  };
  queue.clock = bell + limits.gift.serverClockMarginMs - 1;
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.settle(0, late);
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.clock++;
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("while the clock of a partition's server is behind the time, nothing counts as settled", async () => {
  const queue = new Queue(1);
  const bell = queue.bell() + 5_000;
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.clock = bell;
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("markers are published at most once in a while, and a lost or doubled one does no harm", async () => {
  const queue = new Queue(1);
  const bell = queue.bell() + 50;
  queue.beforeMarker = () => queue.settle(0, queue.store(0));
  for (let n = 0; n < 20; n++) await queue.watermark.settledBefore(bell);
  expect(queue.markers).toBe(1);
  queue.beforeMarker = () => {
    throw new Error("no ack");
  };
  queue.nodeMs += limits.gift.markerEveryMs;
  await expect(queue.watermark.settledBefore(bell)).rejects.toThrow("no ack");
  queue.beforeMarker = () => {};
  queue.clock = bell;
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("a stream that is made again has other sequences: what was marked is marked again, what was settled stays so", async () => {
  const queue = new Queue(1);
  const settled = queue.bell();
  expect((await queue.ask(settled)).settled).toBe(true);
  for (let n = 0; n < 50; n++) queue.store(0);
  const bell = queue.bell();
  queue.store(0);
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.streams[0] = { messages: new Map(), last: 0, lastMs: 0, created: "second", replicas: 1 };
  const back = queue.store(0, bell - 1);
  expect((await queue.ask(bell)).settled).toBe(false);
  expect((await queue.ask(settled)).settled).toBe(true);
  queue.settle(0, back);
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("a mark of a message that its server has lost holds nothing up: sequences that went back are marked again", async () => {
  const queue = new Queue(1);
  const early = queue.store(0);
  for (let n = 0; n < 5; n++) queue.store(0);
  const bell = queue.bell();
  expect((await queue.ask(bell)).settled).toBe(false);
  const stream = queue.streams[0] as Queue["streams"][number];
  stream.messages.clear();
  stream.last = early;
  stream.lastMs = bell - 2;
  const again = queue.store(0, bell - 1);
  expect((await queue.ask(bell)).settled).toBe(false);
  queue.settle(0, again);
  expect((await queue.ask(bell)).settled).toBe(true);
});

test("a node that does not reach one partition answers nothing, and goes on when it is back", async () => {
  const queue = new Queue(2);
  const bell = queue.bell();
  const state = queue.streams[1] as Queue["streams"][number];
  queue.streams[1] = undefined as never;
  await expect(queue.watermark.settledBefore(bell)).rejects.toThrow("no such partition");
  queue.streams[1] = state;
  expect((await queue.ask(bell)).settled).toBe(true);
});
