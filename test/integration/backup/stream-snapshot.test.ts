import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AckPolicy, connect, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { restoreStream, snapshotStream, snapshotToFile } from "../../../scripts/backup/stream-snapshot.ts";
import { stopAll } from "../../support/system.ts";

const name = `${natsPrefix()}SNAPPED`;
const subject = `${natsPrefix()}snapped.a`;

let folder: string;
let nats: NatsConnection;
let manager: JetStreamManager;
const file = () => join(folder, "snapshot");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "snapshot-"));
  nats = await connect(natsOptions("test"));
  manager = await nats.jetstreamManager();
  await manager.streams.add({ name, subjects: [subject], max_bytes: 50_000_000, description: "made for a test" });
  const client = nats.jetstream();
  for (let n = 0; n < 30; n++) await client.publish(subject, randomBytes(100_000), { msgID: `m-${n}` });
  await manager.consumers.add(name, { durable_name: "reader", ack_policy: AckPolicy.Explicit });
  const messages = await (await client.consumers.get(name, "reader")).fetch({ max_messages: 7 });
  for await (const message of messages) await message.ackAck();
  await manager.streams.deleteMessage(name, 20);
});
afterAll(async () => {
  await nats.close();
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

test("a stream of many parts comes back with its sequences, times, headers and gaps, and without its consumers", async () => {
  const before = await manager.streams.info(name);
  const message = await manager.streams.getMessage(name, { seq: 30 });
  const about = await snapshotToFile(nats, name, file());
  expect(statSync(file()).size).toBeGreaterThan(8 * limits.backup.streamChunkBytes);
  expect(about.state.messages).toBe(29);
  await manager.streams.delete(name);

  await restoreStream(nats, about, file());
  const after = await manager.streams.info(name);
  expect(after.state).toEqual({ ...before.state, consumer_count: 0 });
  expect([after.config.description, after.config.max_bytes]).toEqual(["made for a test", 50_000_000]);
  const again = await manager.streams.getMessage(name, { seq: 30 });
  expect(again.time).toEqual(message.time);
  expect(Buffer.from(again.data).equals(Buffer.from(message.data))).toBe(true);
  expect(again.header.get("Nats-Msg-Id")).toBe("m-29");
});

test("the server's refusals are said: no such stream, and a stream that is there", async () => {
  await expect(snapshotToFile(nats, `${name}-NOT`, join(folder, "none"))).rejects.toThrow(/stream not found/);
  const about = await manager.streams.info(name);
  await expect(restoreStream(nats, about, file())).rejects.toThrow(/already (in use|exists)/);
});

test("a file that is no snapshot makes no stream", async () => {
  const { config, state } = await manager.streams.info(name);
  const other = { config: { ...config, name: `${name}-2`, subjects: [`${subject}.2`] }, state };
  await expect(restoreStream(nats, other, __filename)).rejects.toThrow(`stream ${name}-2 cannot be restored`);
  await expect(manager.streams.info(`${name}-2`)).rejects.toThrow(/stream not found/);
});

test("a snapshot that cannot be written ends with the error", async () => {
  const full = async () => {
    throw new Error("the disk is full");
  };
  await expect(snapshotStream(nats, name, full)).rejects.toThrow("the disk is full");
});
