import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { type ConsumerDefinition, consumerConfig, streamConfig } from "../../../mixins/jetstream/definitions.ts";
import { queueDepths } from "../../../mixins/jetstream/queue-depths.ts";
import type { StreamDefinition } from "../../../mixins/jetstream/streams.ts";
import { eventually, stopAll } from "../../support/system.ts";

/** How far consumers are behind, as nats-server knows it: no process of their services runs here. */

const queue: StreamDefinition = { name: "DEPTHS", subjects: ["depths.*"], kind: "queue" };
const log: StreamDefinition = { name: "DEPTHLOG", subjects: ["depthlog.>"], kind: "log" };
const settler: ConsumerDefinition = { durable: "settler", stream: `${natsPrefix()}DEPTHS`, kind: "queue" };
const reader: ConsumerDefinition = {
  ...{ durable: "reader", stream: `${natsPrefix()}DEPTHLOG`, kind: "log", subject: "depthlog.read" },
};
const elsewhere: ConsumerDefinition = { durable: "lost", stream: `${natsPrefix()}NOWHERE`, kind: "queue" };

let connection: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  connection = await connect(natsOptions("test"));
  manager = await connection.jetstreamManager();
  for (const stream of [queue, log]) await manager.streams.add(streamConfig(stream));
});
afterAll(async () => {
  await connection.close();
  await stopAll();
});

const publish = (subject: string) => connection.jetstream().publish(natsPrefix() + subject, "{}");
const depths = () => queueDepths(manager, [settler, reader, elsewhere]);
const depthOf = async (durable: string) => (await depths()).find((depth) => depth.durable === durable);

test("without a consumer the messages of a queue wait; of a log nobody knows; a stream that is missing is left out", async () => {
  await publish("depths.1");
  await publish("depthlog.read");
  expect(await depths()).toEqual([
    { stream: "DEPTHS", durable: "settler", waiting: 1, unacked: 0, redelivered: 0, oldestMs: expect.any(Number) },
    { stream: "DEPTHLOG", durable: "reader", waiting: 0, unacked: 0, redelivered: 0, oldestMs: 0 },
  ]);
});

test("what was delivered is unacked until its ack, and the oldest is the first that is not acked", async () => {
  await manager.consumers.add(settler.stream, consumerConfig("settler", settler, "first"));
  for (const n of [2, 3]) await publish(`depths.${n}`);
  const consumer = await connection.jetstream().consumers.get(settler.stream, "settler");
  const first = await consumer.next();
  const second = await consumer.next();
  expect(await depthOf("settler")).toMatchObject({ waiting: 1, unacked: 2 });
  const storedAt = Math.floor((first?.info.timestampNanos ?? 0) / 1e6);
  const askedAt = Date.now();
  const before = (await depthOf("settler"))?.oldestMs ?? 0;
  // Both are rounded to milliseconds.
  expect(before).toBeGreaterThanOrEqual(askedAt - storedAt - 1);
  // Out of their order: the first one stays the oldest.
  await second?.ackAck();
  expect(await depthOf("settler")).toMatchObject({ waiting: 1, unacked: 1 });
  expect((await depthOf("settler"))?.oldestMs).toBeGreaterThanOrEqual(before);
  first?.nak();
  // The one that was given back, and the third; in which order is the server's business.
  const rest = [await consumer.next(), await consumer.next()];
  expect(rest.map((message) => message?.redelivered).sort()).toEqual([false, true]);
  expect(await depthOf("settler")).toMatchObject({ waiting: 0, unacked: 2, redelivered: 1 });
  for (const message of rest) await message?.ackAck();
  await eventually("nothing waits", async () => {
    const depth = await depthOf("settler");
    return depth?.waiting === 0 && depth.unacked === 0 && depth.oldestMs === 0;
  });
});

test("of a consumer with a filter the oldest is the first message that it reads and has not acked", async () => {
  await manager.consumers.add(reader.stream, consumerConfig("reader~1", reader, "first"));
  const consumer = await connection.jetstream().consumers.get(reader.stream, "reader~1");
  const acked = await consumer.next();
  await acked?.ackAck();
  const ackedAt = Math.floor((acked?.info.timestampNanos ?? 0) / 1e6);
  await eventually("the acked one is old", () => Date.now() - ackedAt > 2_000);
  await publish("depthlog.other");
  const publishedAt = Date.now();
  await publish("depthlog.read");
  const late = await depthOf("reader");
  expect(late).toMatchObject({ waiting: 1, unacked: 0 });
  // Neither the acked one, which is two seconds older, nor the one of another subject.
  expect(late?.oldestMs).toBeLessThanOrEqual(Date.now() - publishedAt);
  await (await consumer.next())?.ackAck();
  await publish("depthlog.other");
  expect(await depthOf("reader")).toMatchObject({ waiting: 0, unacked: 0, oldestMs: 0 });
});
