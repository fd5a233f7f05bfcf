import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { queueDepth } from "../../../services/gift/queue-depth.ts";
import { unitSignatures } from "../../support/unit-signatures.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const signatures = unitSignatures();

/** The depth where the first partition has messages with so many gifts, by sequence, up to `delivered` of them in work. */
async function depthOf(
  messages: ReadonlyMap<number, number>,
  delivered: number,
  forged = new Set<number>(),
  firstMs: Readonly<Record<string, number>> = {},
) {
  const isFirst = (stream: string) => stream === `${natsPrefix()}GIFTS-0`;
  const sequences = [...messages.keys()];
  let reads = 0;
  const manager = {
    consumers: {
      list: (stream: string) => ({
        next: async () => [
          {
            delivered: { stream_seq: isFirst(stream) ? delivered : 0 },
            num_pending: isFirst(stream) ? sequences.filter((seq) => seq > delivered).length : 0,
            num_ack_pending: isFirst(stream) ? sequences.filter((seq) => seq <= delivered).length : 0,
          },
        ],
      }),
    },
    streams: {
      async getMessage(_stream: string, { seq }: { seq: number }) {
        reads++;
        const next = sequences.find((sequence) => sequence >= seq);
        if (next === undefined) throw Object.assign(new Error("no message found"), { code: "404" });
        const gifts = Array.from({ length: messages.get(next) as number }, () => ({}));
        const text = JSON.stringify({ gifts });
        const signed = forged.has(next) ? text : signatures.sign("gift.send.0", text);
        return { seq: next, subject: "unit_gift.send.0", data: Buffer.from(signed), json: () => JSON.parse(signed) };
      },
      async info(stream: string) {
        const first = firstMs[stream.slice(natsPrefix().length)];
        const age = first === undefined ? { messages: 0 } : { messages: 1, first_ts: new Date(first).toISOString() };
        return { state: { ...age, subjects: { "unit_dead.gift-settler": 2 } } };
      },
    },
  };
  return { ...(await queueDepth({ jetstream: { manager }, signatures } as never)), reads };
}

test("the gifts of what is in work and of what waits are counted apart, over gaps", async () => {
  const messages = new Map([
    [3, 25],
    [9, 1],
    [20, 30],
    [21, 7],
  ]);
  const depth = await depthOf(messages, 12);
  expect(depth).toMatchObject({ waiting: 37, inFlight: 26, deadLetters: 2 });
  const partitions = Array.from({ length: limits.gift.partitions }, (_, partition) => partition);
  expect(depth.partitions).toEqual(partitions.map((partition) => ({ partition, gifts: partition === 0 ? 63 : 0 })));
});

test("the oldest message of all partitions is that of the queue; an empty queue has none", async () => {
  const now = Date.now();
  const first = { "GIFTS-1": now - 30_000, "GIFTS-4": now - 90_000 } as Record<string, number>;
  expect((await depthOf(new Map(), 0, new Set(), first)).oldestMs).toBeGreaterThanOrEqual(90_000);
  expect((await depthOf(new Map(), 0, new Set(), { "GIFTS-1": now + 60_000 })).oldestMs).toBe(0);
  expect((await depthOf(new Map(), 0)).oldestMs).toBeNull();
});

test("of many messages only some are read: the others are assumed to be like them", async () => {
  const messages = new Map(Array.from({ length: 5_000 }, (_, n) => [n + 1, 20] as const));
  const { waiting, inFlight, reads } = await depthOf(messages, 1_000);
  expect([waiting, inFlight]).toEqual([80_000, 20_000]);
  expect(reads).toBe(2 * limits.gift.depthMessagesRead);
});

test("a forged message counts as the one dead letter that it will be, however many gifts it says it has", async () => {
  const messages = new Map([
    [1, 5_000],
    [2, 3],
  ]);
  expect(await depthOf(messages, 0, new Set([1]))).toMatchObject({ waiting: 4, inFlight: 0 });
});
