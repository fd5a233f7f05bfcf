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
import { snapshotToFile } from "../../../scripts/backup/stream-snapshot.ts";
import type { RestoreState } from "../../../scripts/restore/restore-state.ts";
import { restoreStreams } from "../../../scripts/restore/restore-streams.ts";
import { eventually, stopAll } from "../../support/system.ts";

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

/** Does something while eight flows publish, and a reader acks nine of ten messages. */
async function inTraffic<T>(stream: string, work: () => Promise<T>): Promise<T> {
  let isOn = true;
  const enough = Promise.withResolvers<void>();
  const flow = async () => {
    for (let sent = 0; isOn; sent++) {
      await publish(stream);
      if (sent === 40) enough.resolve();
    }
  };
  const flows = Promise.all(Array.from({ length: 8 }, flow));
  const messages = await (await nats.jetstream().consumers.get(stream, "reader")).consume({ max_messages: 200 });
  const reading = (async () => {
    for await (const message of messages) if (message.seq % 10 > 0) message.ack();
  })();
  try {
    await Promise.race([enough.promise, flows]);
    return await work();
  } finally {
    isOn = false;
    await flows;
    messages.stop();
    await reading;
  }
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

async function sendMore(stream: string): Promise<number[]> {
  const sent: number[] = [];
  for (let n = 0; n < 50; n++) sent.push((await publish(stream)).seq);
  return sent;
}

test("a queue that was in use comes back: everything in it is read, and everything that is sent to it afterwards", async () => {
  const stream = `${natsPrefix()}INUSE`;
  await manager.streams.add({ name: stream, subjects: [subjectOf(stream)], retention: RetentionPolicy.Workqueue });
  // A server may come to write messages and consumers at one moment: in about two of three.
  for (let round = 0; round < 10; round++) {
    await addReader(stream);
    const part = await inTraffic(stream, () => snapshot(stream));
    await bringBack(part);
    expect((await manager.streams.info(stream)).state.last_seq).toBeGreaterThanOrEqual(part.state.last_seq);
    await addReader(stream);
    const sent = await sendMore(stream);
    expect(await readAll(stream)).toEqual(expect.arrayContaining(sent));
    await eventually("it is empty", async () => (await manager.streams.info(stream)).state.messages === 0);
  }
});
