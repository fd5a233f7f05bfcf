import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { type Consumer, connect, type JetStreamClient, type JetStreamManager, type NatsConnection } from "nats";
import type { Log } from "../../../broker/log.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { deadLetterSubject, streamConfig } from "../../../mixins/jetstream/definitions.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { deadLetters, streamNames } from "../../../mixins/jetstream/streams.ts";
import { Trim } from "../../../mixins/jetstream/trim.ts";
import { type JetStreamState, jetstreamMixin, type StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import provisioner from "../../../services/provisioner/provisioner.service.ts";
import { eventStream, giftStream, notificationStream, topicStream } from "../../../services/streams.ts";
import { silentLog } from "../../support/silent-log.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const kilobyte = "x".repeat(1_000);
/** As PAY, of a size that a test fills. */
const orders: StreamDefinition = { ...topicStream, name: "ORDERS", subjects: ["order.*"], maxBytes: 100_000 };

let connection: NatsConnection;
let manager: JetStreamManager;
let client: JetStreamClient;
beforeAll(async () => {
  connection = await connect(natsOptions("test"));
  manager = await connection.jetstreamManager();
  client = connection.jetstream();
});
afterAll(async () => {
  await connection.close();
  await stopAll();
});

const full = (name: string) => natsPrefix() + name;
const put = (subject: string, data = kilobyte) => client.publish(full(subject), data);
const infoOf = (name: string) => manager.streams.info(full(name));

/** Publishes until the stream is filled to this share of its bytes, or refuses. */
async function fill(name: string, subject: string, share: number): Promise<void> {
  const { max_bytes } = (await infoOf(name)).config;
  while ((await infoOf(name)).state.bytes < max_bytes * share)
    await Promise.all(Array.from({ length: 5 }, () => put(subject)));
}

/** Reads and acks so many messages, or all that there are; a pull waits for what is not there. */
async function read(consumer: Consumer, count = Number.POSITIVE_INFINITY): Promise<void> {
  for (let left = count; ; ) {
    const max_messages = Math.min(left, (await consumer.info()).num_pending);
    if (max_messages === 0) return;
    for await (const message of await consumer.fetch({ max_messages, expires: 20_000 })) {
      await message.ackAck();
      left--;
    }
  }
}

/** Waits until a value, which may contain matchers, is exactly what is wanted. */
async function becomesEqual(what: string, value: () => Promise<unknown>, wanted: unknown, timeoutMs?: number) {
  let last: unknown;
  const isEqual = async () => {
    last = await value();
    try {
      expect(last).toEqual(wanted);
      return true;
    } catch {
      return false;
    }
  };
  await eventually(what, isEqual, timeoutMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

/** What a trim only logs fails the test: JetStream that did not answer for a moment, too. */
const strictLog: Log = {
  ...silentLog,
  warn: (about) => {
    throw (about as { err: unknown }).err;
  },
};

test("every stream has a bound in bytes; those of money refuse beyond it, the others give up their oldest", () => {
  const bounds = [giftStream, topicStream, deadLetters, notificationStream, eventStream].map((stream) => {
    const { max_bytes, discard = "old" } = streamConfig(stream);
    return [stream.name, (max_bytes ?? 0) > 0, discard];
  });
  expect(bounds).toEqual([
    ["GIFTS", true, "new"],
    ["PAY", true, "new"],
    ["DEAD", true, "new"],
    ["NOTIFICATIONS", true, "old"],
    ["EVENTS", true, "old"],
  ]);
});

test("a stream that fills degrades its service's health, ends its readiness before it refuses, and is in the metrics", async () => {
  const schema = { name: "filler", mixins: [jetstreamMixin([orders]), healthMixin] } as unknown as ServiceSchema;
  const node = await startNode("filler", [schema]);
  const { jetstream } = node.getLocalService("filler") as Service & JetStreamState;
  const health = async () => ((await node.call("filler.health")) as { jetstream: unknown }).jetstream;
  const becomes = (what: string, wanted: unknown) => becomesEqual(what, health, wanted);
  await becomes("ready", true);
  await fill("ORDERS", "order.new", 0.75);
  await becomes("degraded", { degraded: expect.stringMatching(/ORDERS is filled to 7\d %: \d+ of 100000 bytes/) });
  await fill("ORDERS", "order.new", 0.96);
  await becomes("not ready", expect.stringMatching(/ORDERS is filled to 9\d %/));
  const gauge = (name: string) =>
    node.metrics
      .list({ includes: `ovation.jetstream.${name}` })
      .flatMap(({ values }) => values as unknown as { value: number; labels: { stream: string } }[])
      .find(({ labels }) => labels.stream === full("ORDERS"))?.value;
  expect(gauge("stream.bytes")).toBeGreaterThan(95_000);
  expect(gauge("stream.bound")).toBe(100_000);
  // At the bound it refuses, and what it holds stays.
  for (let n = 0; n < 5; n++) await put("order.new").catch(() => undefined);
  const first = (await infoOf("ORDERS")).state.first_seq;
  // Its time stands still, or what is refused late may have been stored before.
  const clock = jest.spyOn(performance, "now").mockReturnValue(performance.now());
  try {
    await expect(jetstream.publish("order.new", kilobyte, { msgId: "one-too-many" })).rejects.toMatchObject({
      type: "unavailable",
      data: { mayHaveHappened: false },
    });
  } finally {
    clock.mockRestore();
  }
  expect((await infoOf("ORDERS")).state.first_seq).toBe(first);
  await manager.streams.purge(full("ORDERS"));
  await jetstream.publish("order.new", kilobyte, { msgId: "taken" });
  await becomes("ready again", true);
});

const readersOf = (name: string) => ["recharges", "refunds"].map((durable) => ({ stream: full(name), durable }));

test("an order that only one of its stream's consumers can see as read stays while the other one is missing, and the newest stay always", async () => {
  const stream = { ...orders, name: "HALF", subjects: ["half.*"] };
  await ensureStreams(manager, [stream]);
  let now = Date.now();
  const trim = new Trim(manager, strictLog, readersOf("HALF"), { leavesNewest: 7, now: () => now });
  const lookTwice = async () => {
    await trim.look("read", await infoOf("HALF"));
    now += limits.jetstream.trimReadForMs;
    await trim.look("read", await infoOf("HALF"));
  };
  const add = (durable_name: string, filter: string) =>
    manager.consumers.add(full("HALF"), {
      ...{ durable_name, filter_subject: full(filter), ack_policy: "explicit" as never },
    });
  await fill("HALF", "half.recharge", 0.6);
  const { messages, last_seq } = (await infoOf("HALF")).state;
  await add("recharges", "half.recharge");
  const consumer = await client.consumers.get(full("HALF"), "recharges");
  await read(consumer);
  await lookTwice();
  expect((await infoOf("HALF")).state.messages).toBe(messages);
  await add("refunds", "half.refund");
  await lookTwice();
  expect((await infoOf("HALF")).state).toMatchObject({ messages: 7, last_seq });
});

test("read orders make room for new ones, unread ones never do; without a reader nothing is removed", async () => {
  const stream = { ...orders, name: "READ", subjects: ["read.*"] };
  await ensureStreams(manager, [stream]);
  let now = Date.now();
  const trim = new Trim(manager, strictLog, readersOf("READ"), { leavesNewest: 0, now: () => now });
  const look = async () => trim.look("read", await infoOf("READ"));
  const lookTwice = async () => {
    await look();
    now += limits.jetstream.trimReadForMs;
    await look();
  };
  await fill("READ", "read.recharge", 0.6);
  const { state } = await infoOf("READ");
  await lookTwice();
  expect((await infoOf("READ")).state.messages).toBe(state.messages);

  for (const [durable, filter] of [
    ["recharges", "read.recharge"],
    ["refunds", "read.refund"],
  ] as const)
    await manager.consumers.add(full("READ"), {
      ...{ durable_name: durable, filter_subject: full(filter), ack_policy: "explicit" as never },
    });
  const consumer = await client.consumers.get(full("READ"), "recharges");
  await read(consumer, 20);
  // Read just now: its reader may not have stored its position.
  await look();
  await look();
  expect((await infoOf("READ")).state.messages).toBe(state.messages);
  now += limits.jetstream.trimReadForMs;
  await look();
  expect((await infoOf("READ")).state).toMatchObject({ first_seq: 21, messages: state.messages - 20 });

  // An order for another consumer, which has not read it, stays with all that came after it.
  await put("read.refund");
  await read(consumer);
  await fill("READ", "read.recharge", 0.6);
  await read(consumer);
  await lookTwice();
  expect((await infoOf("READ")).state.first_seq).toBe(21);
  const refunds = await client.consumers.get(full("READ"), "refunds");
  await (await refunds.next())?.ackAck();
  await lookTwice();
  const { first_seq, last_seq } = (await infoOf("READ")).state;
  expect(first_seq).toBe(last_seq + 1);

  // Below half of the bound nothing is removed, whatever was read.
  await fill("READ", "read.recharge", 0.3);
  const { messages } = (await infoOf("READ")).state;
  await read(consumer);
  await lookTwice();
  expect((await infoOf("READ")).state.messages).toBe(messages);
});

test("a flood of dead letters that may be forged makes room by itself: those of money stay, and new ones are stored", async () => {
  await ensureStreams(manager, [{ ...deadLetters, maxBytes: 400_000 }]);
  const trim = new Trim(manager, strictLog, []);
  const ofMoney = deadLetterSubject("gift-settler", "proven");
  const forged = deadLetterSubject("gift-settler", "unproven");
  await put(ofMoney, "the order of somebody");
  await fill("DEAD", forged, 0.97);
  await trim.look("unproven", await infoOf("DEAD"));
  const { state } = await manager.streams.info(full("DEAD"), { subjects_filter: full("dead.>") });
  expect(state.subjects).toEqual({ [full(ofMoney)]: 1, [full(forged)]: 100 });
  expect((await put(ofMoney, "the order of somebody else")).seq).toBeGreaterThan(0);
  // What is proven stays even where it alone fills the stream.
  await fill("DEAD", ofMoney, 0.6);
  const { messages } = (await infoOf("DEAD")).state;
  await trim.look("unproven", await infoOf("DEAD"));
  expect((await infoOf("DEAD")).state.messages).toBe(messages - 100);
});

test("dead letters with an unknown key, which may be genuine, stay until DEAD is nearly full; then the oldest go, and the log says that money may be lost", async () => {
  await ensureStreams(manager, [{ ...deadLetters, maxBytes: 400_000 }]);
  await manager.streams.purge(full("DEAD"));
  const errors: [object, string][] = [];
  const log = { ...strictLog, error: (about: object, text: string) => errors.push([about, text]) } as Log;
  const trim = new Trim(manager, log, []);
  const ofMoney = full(deadLetterSubject("gift-settler", "proven"));
  const unknownKey = full(deadLetterSubject("gift-settler", "unknownKey"));
  const forged = full(deadLetterSubject("gift-settler", "unproven"));
  const look = async () => {
    await trim.look("unproven", await infoOf("DEAD"));
    return (await manager.streams.info(full("DEAD"), { subjects_filter: full("dead.>") })).state.subjects ?? {};
  };
  await client.publish(ofMoney, kilobyte);
  await client.publish(forged, kilobyte);
  await fill("DEAD", deadLetterSubject("gift-settler", "unknownKey"), 0.85);
  const { state } = await manager.streams.info(full("DEAD"), { subjects_filter: unknownKey });
  const all = state.subjects?.[unknownKey] ?? 0;
  expect(await look()).toEqual({ [ofMoney]: 1, [unknownKey]: all });
  expect(errors.map(([, text]) => text)).toEqual([expect.stringContaining("may be forged")]);

  await fill("DEAD", deadLetterSubject("gift-settler", "unknownKey"), 0.95);
  const { [unknownKey]: left = 0, ...others } = await look();
  expect(others).toEqual({ [ofMoney]: 1 });
  expect(left / all).toBeGreaterThan(0.9);
  expect((await infoOf("DEAD")).state.bytes).toBeLessThan(360_000);
  expect(errors.at(-1)).toMatchObject([{ kept: left }, expect.stringContaining("money may be lost")]);
});

test("full dead letters end the readiness of those who consume signed orders, and of no other service", async () => {
  const schemaOf = (name: string, channels: object) =>
    ({ name, channels, mixins: [jetstreamMixin([orders]), healthMixin] }) as unknown as ServiceSchema;
  const signs = await startNode("signs", [schemaOf("signs", { orders: { signatures: () => undefined } })]);
  const reads = await startNode("reads", [schemaOf("reads", { orders: {} })]);
  await manager.streams.purge(full("DEAD"));
  await manager.streams.update(full("DEAD"), { max_bytes: 400_000 });
  await fill("DEAD", deadLetterSubject("gift-settler", "proven"), 0.97);
  const filled = expect.stringMatching(/DEAD is filled to 9\d %/);
  const healthOf = (node: ServiceBroker, name: string) => async () =>
    ((await node.call(`${name}.health`)) as { jetstream: unknown }).jetstream;
  await becomesEqual("who signs is not ready", healthOf(signs, "signs"), filled, 15_000);
  await becomesEqual("who reads is degraded", healthOf(reads, "reads"), { degraded: filled }, 15_000);
});

test("the provisioner trims streams that fill", async () => {
  await startNode("provisioner", [provisioner]);
  await manager.streams.purge(full("DEAD"));
  await manager.streams.update(full("DEAD"), { max_bytes: 200_000 });
  await fill("DEAD", deadLetterSubject("gift-effects", "unproven"), 0.9);
  await eventually("room", async () => (await infoOf("DEAD")).state.bytes < 150_000, 15_000);
});

test("a log that gets its bound keeps what it holds where that is more, until there is less", async () => {
  const before: StreamDefinition = { name: "OLDER", subjects: ["older.*"], kind: "log" };
  const after: StreamDefinition = { ...before, maxBytes: 50_000, refusesAtBound: true };
  await ensureStreams(manager, [before]);
  await Promise.all(Array.from({ length: 40 }, () => put("older.one")));
  await ensureStreams(manager, [after]);
  expect(await infoOf("OLDER")).toMatchObject({ config: { discard: "new", max_bytes: -1 }, state: { messages: 40 } });
  await manager.streams.purge(full("OLDER"), { keep: 10 });
  await ensureStreams(manager, [after]);
  expect(await infoOf("OLDER")).toMatchObject({ config: { max_bytes: 50_000 }, state: { messages: 10 } });
  expect(streamNames(after)).toEqual([full("OLDER")]);
});

test("a start that cannot reserve a stream's bytes says which stream, and how many bytes there are to be", async () => {
  const huge: StreamDefinition = { name: "HUGE", subjects: ["huge.*"], kind: "log", maxBytes: 10 ** 15 };
  await expect(ensureStreams(manager, [huge])).rejects.toThrow(
    new RegExp(
      `stream ${full("HUGE")} cannot reserve ${10 ** 15} bytes: .*max_file_store of nats-server must be \\d{16}`,
    ),
  );
});
