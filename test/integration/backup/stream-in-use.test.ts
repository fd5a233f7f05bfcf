/** Snapshots of streams in use: messages come and are acked while the server writes. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AckPolicy, connect, type JetStreamManager, type NatsConnection, RetentionPolicy } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { sumOf } from "../../../scripts/backup/backup-file.ts";
import type { Manifest, StreamPart } from "../../../scripts/backup/manifest.ts";
import { restoreStream, snapshotToFile } from "../../../scripts/backup/stream-snapshot.ts";
import type { RestoreState } from "../../../scripts/restore/restore-state.ts";
import { restoreStreams } from "../../../scripts/restore/restore-streams.ts";
import { stopAll } from "../../support/system.ts";

jest.setTimeout(60_000);

let folder: string;
let nats: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "in-use-"));
  nats = await connect(natsOptions("test"));
  manager = await nats.jetstreamManager();
});
afterAll(async () => {
  await nats.close();
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

const subjectOf = (stream: string) => `${stream.toLowerCase()}.a`;
const publish = (stream: string) => nats.jetstream().publish(subjectOf(stream), randomBytes(300));
const addReader = (stream: string) =>
  manager.consumers.add(stream, { durable_name: "reader", ack_policy: AckPolicy.Explicit, max_ack_pending: 10_000 });

/** Publishes in eight flows and reads, acking nine of ten, until the returned function is called. */
async function traffic(stream: string): Promise<() => Promise<void>> {
  let isOn = true;
  const enough = Promise.withResolvers<void>();
  const flows = Array.from({ length: 8 }, async () => {
    while (isOn) if ((await publish(stream)).seq > 300) enough.resolve();
  });
  const messages = await (await nats.jetstream().consumers.get(stream, "reader")).consume({ max_messages: 200 });
  const reading = (async () => {
    for await (const message of messages) if (message.seq % 10 > 0) message.ack();
  })();
  await enough.promise;
  return async () => {
    isOn = false;
    await Promise.all(flows);
    messages.stop();
    await reading;
  };
}

async function snapshot(stream: string): Promise<StreamPart> {
  const { created } = await manager.streams.info(stream);
  const file = `${stream}.stream`;
  rmSync(join(folder, file), { force: true });
  const about = await snapshotToFile(nats, stream, join(folder, file));
  return { stream, created, ...about, consumers: [], ...(await sumOf(join(folder, file))) } as StreamPart;
}

/** Reads and acks what there is; returns the sequences. */
async function readAll(stream: string): Promise<number[]> {
  const reader = await nats.jetstream().consumers.get(stream, "reader");
  const sequences: number[] = [];
  for (;;) {
    const { num_pending } = await reader.info();
    if (num_pending === 0) break;
    for await (const message of await reader.fetch({ max_messages: num_pending, expires: 5_000 })) {
      sequences.push(message.seq);
      message.ack();
    }
  }
  await nats.flush();
  return sequences;
}

const always: Pick<RestoreState, "of" | "step"> = { of: async () => "none", step: async (_step, work) => work(false) };

async function bringBack(part: StreamPart): Promise<void> {
  await manager.streams.delete(part.stream);
  await restoreStreams(always as RestoreState, {
    ...{ folder, nats, databases: [], keepStreams: false, progress: () => {} },
    manifest: { streams: [part] } as unknown as Manifest,
  });
}

/** Whether the snapshot has a reader of what it lacks: about every third has. */
async function isLate({ stream, ...part }: StreamPart): Promise<boolean> {
  await manager.streams.delete(stream);
  await restoreStream(nats, part, join(folder, part.file));
  const { state } = await manager.streams.info(stream);
  return (await manager.consumers.info(stream, "reader")).delivered.stream_seq > state.last_seq;
}

/** Takes snapshots of a stream in use until one has such a reader, and restores that one. */
async function restoredInUse(name: string, retention: RetentionPolicy): Promise<string> {
  const stream = `${natsPrefix()}${name}`;
  for (let round = 1; ; round++) {
    await manager.streams.add({ name: stream, subjects: [subjectOf(stream)], retention });
    await addReader(stream);
    const stop = await traffic(stream);
    const part = await snapshot(stream);
    await stop();
    // A server may come to write both at one moment.
    if (!(await isLate(part)) && round < 40) {
      await manager.streams.delete(stream);
      continue;
    }
    await bringBack(part);
    expect((await manager.streams.info(stream)).state.last_seq).toBeGreaterThanOrEqual(part.state.last_seq);
    return stream;
  }
}

async function sendMore(stream: string): Promise<number[]> {
  const sent: number[] = [];
  for (let n = 0; n < 50; n++) sent.push((await publish(stream)).seq);
  return sent;
}

test("a queue that was in use comes back: everything in it is read, and everything that is sent to it afterwards", async () => {
  const stream = await restoredInUse("INUSE-QUEUE", RetentionPolicy.Workqueue);
  await addReader(stream);
  const sent = await sendMore(stream);
  expect(await readAll(stream)).toEqual(expect.arrayContaining(sent));
  expect((await manager.streams.info(stream)).state.messages).toBe(0);
});

test("a reader of a log that was ahead of the snapshot reads everything that is published afterwards", async () => {
  const stream = await restoredInUse("INUSE-LOG", RetentionPolicy.Limits);
  const sent = await sendMore(stream);
  expect(await readAll(stream)).toEqual(expect.arrayContaining(sent));
});
