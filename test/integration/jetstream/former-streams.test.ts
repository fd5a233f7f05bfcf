import { randomUUID } from "node:crypto";
import { AckPolicy, connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { ensureStreams, streamNames } from "../../../mixins/jetstream/streams.ts";
import type { StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import { eventually } from "../../support/system.ts";

const shared = (partitions?: number): StreamDefinition => ({
  ...{ name: "SHARED", subjects: ["shared.*"], kind: "queue", maxMessages: 1_000_000 },
  ...(partitions ? { partitions } : {}),
});

let connection: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  connection = await connect(natsOptions("former-streams-test"));
  manager = await connection.jetstreamManager();
});
afterAll(() => connection.close());

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const name of manager.streams.names())
    if (name.startsWith(`${natsPrefix()}SHARED`)) found.push(name.slice(natsPrefix().length));
  return found.sort();
}

const publish = (subject: string, msgID: string = randomUUID()) =>
  connection.jetstream().publish(natsPrefix() + subject, "{}", { msgID });

test("each partition is a stream of its own with its share of the bound; many nodes may make them at once", async () => {
  await Promise.all(Array.from({ length: 8 }, () => ensureStreams(manager, [shared(4)])));
  expect(await names()).toEqual(["SHARED-0", "SHARED-1", "SHARED-2", "SHARED-3"]);
  expect((await publish("shared.2")).stream).toBe(`${natsPrefix()}SHARED-2`);
  const { config } = await manager.streams.info(`${natsPrefix()}SHARED-2`);
  expect([config.max_msgs, config.subjects]).toEqual([250_000, [`${natsPrefix()}shared.2`]]);
  expect(streamNames(shared(4))).toHaveLength(4);
});

test("what waits in streams of another number of partitions is moved, also where many nodes start and somebody has it in hand", async () => {
  for (let n = 0; n < 500; n++) await publish(`shared.${n % 4}`);
  await manager.consumers.add(`${natsPrefix()}SHARED-3`, { durable_name: "reader", ack_policy: AckPolicy.Explicit });
  const held = await (await connection.jetstream().consumers.get(`${natsPrefix()}SHARED-3`, "reader")).next();
  expect(held?.subject).toBe(`${natsPrefix()}shared.3`);
  await Promise.all(Array.from({ length: 8 }, () => ensureStreams(manager, [shared(2)])));
  expect(await names()).toEqual(["SHARED-0", "SHARED-1"]);
  // One was published by the test before.
  const ids = new Set<string>();
  const subjects = new Set<string>();
  for (const name of streamNames(shared(2))) {
    const { state } = await manager.streams.info(name);
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(name, { seq });
      ids.add(message.header.get("Nats-Msg-Id"));
      subjects.add(`${name} ${message.subject}`);
    }
  }
  expect([ids.size, subjects.size]).toEqual([501, 2]);
});

test("nothing that is published while a stream is set aside is lost: it is refused, or it is there afterwards", async () => {
  const acked = new Set<string>();
  let over = false;
  const publishing = Array.from({ length: 4 }, async (_, lane) => {
    for (let n = 0; !over; n++) {
      const msgID = `lane-${lane}-${n}`;
      const ack = await publish(`shared.${n % 2}`, msgID).catch(() => undefined);
      if (ack) acked.add(msgID);
    }
  });
  await eventually("some are there", () => acked.size > 200);
  await ensureStreams(manager, [shared()]);
  const before = acked.size;
  await eventually("more are there", () => acked.size > before + 200);
  over = true;
  await Promise.all(publishing);
  const { state } = await manager.streams.info(`${natsPrefix()}SHARED`);
  const found = new Set<string>();
  for (let seq = state.first_seq; seq <= state.last_seq; seq++)
    found.add((await manager.streams.getMessage(`${natsPrefix()}SHARED`, { seq })).header.get("Nats-Msg-Id"));
  expect([...acked].filter((id) => !found.has(id))).toEqual([]);
  await manager.streams.purge(`${natsPrefix()}SHARED`);
});

test("a queue that was one stream becomes many, and many become one", async () => {
  await ensureStreams(manager, [shared()]);
  expect(await names()).toEqual(["SHARED"]);
  await ensureStreams(manager, [{ ...shared(), name: "SHARED-AND-MORE", subjects: ["other.*"] }]);
  await ensureStreams(manager, [shared(2)]);
  expect(await names()).toEqual(["SHARED-0", "SHARED-1", "SHARED-AND-MORE"]);
});
