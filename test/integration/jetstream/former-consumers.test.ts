import { AckPolicy, connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { Channel } from "../../../mixins/jetstream/channel.ts";
import { ensureStreams } from "../../../mixins/jetstream/streams.ts";

const stream = { name: "SHARED", subjects: ["shared.*"], kind: "queue" } as const;

let connection: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  connection = await connect(natsOptions("former-consumers-test"));
  manager = await connection.jetstreamManager();
  await ensureStreams(manager, [stream]);
});
afterAll(() => connection.close());

/** A channel with so many partitions, none of which it pulls. */
function channelOf(partitions: number | undefined): Channel {
  const bounds = { batch: 10, batchesInFlight: 1, heldMessages: 10 };
  const definition = { stream: stream.name, subject: "shared.*", durable: "sharer", partitions, ...bounds };
  return new Channel(
    { ...definition, parse: (data: unknown) => data, key: () => "", handler: async () => {} } as never,
    { handle: async () => {}, publishDead: async () => {}, log: console as never, lease: undefined } as never,
  );
}

const start = async (partitions: number | undefined) => {
  const channel = channelOf(partitions);
  try {
    await channel.start(manager, connection.jetstream());
  } finally {
    await channel.stop();
  }
};

async function consumers(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of manager.consumers.list(natsPrefix() + stream.name)) names.push(name);
  return names.sort();
}

test("another number of partitions takes empty consumers away, and leaves what is none of the channel's own", async () => {
  await start(4);
  expect(await consumers()).toEqual(["sharer-0", "sharer-1", "sharer-2", "sharer-3"]);
  await start(2);
  expect(await consumers()).toEqual(["sharer-0", "sharer-1"]);
  await manager.consumers.add(natsPrefix() + stream.name, {
    ...{ durable_name: "sharer-else", ack_policy: AckPolicy.Explicit },
    filter_subject: `${natsPrefix()}shared.else`,
  });
  await start(1);
  expect(await consumers()).toEqual(["sharer-0", "sharer-else"]);
});

test("a consumer of another number of partitions in which messages wait stops the start, and stays until they are handled", async () => {
  await start(3);
  await connection.jetstream().publish(`${natsPrefix()}shared.2`, "waiting");
  await expect(start(2)).rejects.toThrow("consumer sharer-2 of stream");
  expect(await consumers()).toContain("sharer-2");
  const consumer = await connection.jetstream().consumers.get(natsPrefix() + stream.name, "sharer-2");
  const message = await consumer.next();
  // In somebody's hand it is still not handled.
  await expect(start(2)).rejects.toThrow("has 1 messages");
  await message?.ackAck();
  await start(2);
  expect(await consumers()).not.toContain("sharer-2");
});
