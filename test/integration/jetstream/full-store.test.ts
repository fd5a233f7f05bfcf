import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { natsPrefix } from "../../../config/config.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import type { StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import { findProgram } from "../../../scripts/stack/run.ts";
import { eventStream, notificationStream, topicStream } from "../../../services/streams.ts";
import { eventually } from "../../support/eventually.ts";

// A server of this file alone, whose store is small enough to be filled.

const megabyte = 1_000_000;
const small = (stream: StreamDefinition): StreamDefinition =>
  Object.defineProperty({ ...stream }, "maxBytes", { value: 2 * megabyte, enumerable: true });
const orders = small(topicStream);
const events = small(eventStream);
const notifications = small(notificationStream);

const dir = mkdtempSync(join(tmpdir(), "full-store-"));
let server: ChildProcess;
let connection: NatsConnection;
let ofAccount: NatsConnection;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

beforeAll(async () => {
  const port = await freePort();
  const file = join(dir, "nats.conf");
  writeFileSync(
    file,
    `host: "127.0.0.1"
port: ${port}
jetstream { store_dir: ${JSON.stringify(dir)}, max_file_store: 10MB }
accounts {
  FREE { jetstream: enabled, users: [{ user: "free", password: "p" }] }
  BOUND { jetstream: { max_file: 3MB }, users: [{ user: "bound", password: "p" }] }
}
`,
  );
  server = spawn(findProgram(["nats-server"], process.env) as string, ["-c", file], { stdio: "ignore" });
  const open = (user: string) => connect({ servers: `127.0.0.1:${port}`, user, pass: "p" });
  connection = await eventually("the server", () => open("free").catch(() => undefined));
  ofAccount = await open("bound");
});
afterAll(async () => {
  await connection?.close();
  await ofAccount?.close();
  server.kill();
  await once(server, "exit");
  rmSync(dir, { recursive: true, force: true });
});

test("events and notifications that fill their streams take nothing from the orders, whose bytes are reserved", async () => {
  const manager = await connection.jetstreamManager();
  const client = connection.jetstream();
  await ensureStreams(manager, [orders, events, notifications]);
  const put = (subject: string, bytes: number) => client.publish(natsPrefix() + subject, "x".repeat(bytes));
  for (let n = 0; n < 60; n++) {
    await put("event.gift.settled", 100_000);
    await put(`notification.${n}`, 100_000);
  }
  const info = async ({ name }: StreamDefinition) => manager.streams.info(natsPrefix() + name);
  for (const stream of [events, notifications]) {
    const { state } = await info(stream);
    expect([state.bytes <= 2 * megabyte, state.first_seq > 1, state.last_seq]).toEqual([true, true, 60]);
  }
  for (let n = 0; n < 19; n++) await put("pay.recharge", 100_000);
  expect((await info(orders)).state.messages).toBe(19);
  // Nobody is given what is reserved, used or not.
  await expect(
    manager.streams.add({ name: "OTHERS", subjects: ["others"], max_bytes: 5 * megabyte }),
  ).rejects.toThrow();
});

test("a start that cannot reserve a stream's bytes names the stream and the bytes: of the server, or missing in the account", async () => {
  const more = { ...orders, name: "MORE", subjects: ["more.*"], maxBytes: 6 * megabyte };
  await expect(
    ensureStreams(await connection.jetstreamManager(), [orders, events, notifications, more]),
  ).rejects.toThrow(
    `stream ${natsPrefix()}MORE cannot reserve 6000000 bytes: the streams of this account have reserved 6000000; ` +
      "max_file_store of nats-server must be 12000000 or more",
  );
  const manager = await ofAccount.jetstreamManager();
  const { max_storage } = (await manager.getAccountInfo()).limits;
  await expect(ensureStreams(manager, [orders, events])).rejects.toThrow(
    `stream ${natsPrefix()}EVENTS cannot reserve 2000000 bytes: the streams of this account have reserved 2000000; ` +
      `the account may store ${max_storage} bytes, so that ${4_000_000 - max_storage} are missing`,
  );
});
