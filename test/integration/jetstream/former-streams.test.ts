import { AckPolicy, connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { ensureStreams, streamNames } from "../../../mixins/jetstream/streams.ts";
import type { StreamDefinition } from "../../../mixins/jetstream.mixin.ts";

const shared = (partitions?: number): StreamDefinition => ({
  ...{ name: "SHARED", subjects: ["shared.*"], kind: "queue", maxMessages: 1_000 },
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

const publish = (subject: string) => connection.jetstream().publish(natsPrefix() + subject, "{}");

test("each partition is a stream of its own with its share of the bound; many nodes may make them at once", async () => {
  await Promise.all(Array.from({ length: 8 }, () => ensureStreams(manager, [shared(4)])));
  expect(await names()).toEqual(["SHARED-0", "SHARED-1", "SHARED-2", "SHARED-3"]);
  expect((await publish("shared.2")).stream).toBe(`${natsPrefix()}SHARED-2`);
  const { config } = await manager.streams.info(`${natsPrefix()}SHARED-2`);
  expect([config.max_msgs, config.subjects]).toEqual([250, [`${natsPrefix()}shared.2`]]);
  expect(streamNames(shared(4))).toHaveLength(4);
});

test("streams of another number of partitions are removed where they are empty, and stop the start where messages wait", async () => {
  await expect(ensureStreams(manager, [shared(2)])).rejects.toThrow("SHARED-2 has 1 messages");
  expect(await names()).toContain("SHARED-2");
  await manager.consumers.add(`${natsPrefix()}SHARED-2`, {
    ...{ durable_name: "reader", ack_policy: AckPolicy.Explicit },
  });
  const message = await (await connection.jetstream().consumers.get(`${natsPrefix()}SHARED-2`, "reader")).next();
  // In somebody's hand it is still not handled.
  await expect(ensureStreams(manager, [shared(2)])).rejects.toThrow("SHARED-2 has 1 messages");
  await message?.ackAck();
  await Promise.all(Array.from({ length: 8 }, () => ensureStreams(manager, [shared(2)])));
  expect(await names()).toEqual(["SHARED-0", "SHARED-1"]);
});

test("a queue that was one stream becomes many, and many become one", async () => {
  await ensureStreams(manager, [shared()]);
  expect(await names()).toEqual(["SHARED"]);
  await ensureStreams(manager, [{ ...shared(), name: "SHARED-AND-MORE", subjects: ["other.*"] }]);
  await ensureStreams(manager, [shared(2)]);
  expect(await names()).toEqual(["SHARED-0", "SHARED-1", "SHARED-AND-MORE"]);
});
