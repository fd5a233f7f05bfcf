/** Snapshots of streams in use: messages come and are acked while the server writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { QueueInUse } from "../../support/stream-in-use.ts";
import { eventually, stopAll } from "../../support/system.ts";

jest.setTimeout(60_000);

let folder: string;
let nats: NatsConnection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "in-use-"));
  nats = await connect(natsOptions("test"));
});
afterAll(async () => {
  await nats.close();
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

test("a queue that was in use comes back: everything in it is read, and everything that is sent to it afterwards", async () => {
  const queue = await QueueInUse.make({ nats, folder, name: `${natsPrefix()}INUSE` }, 1);
  // With consumers in them, about every third snapshot has one that is ahead of its messages.
  for (let round = 0; round < 10; round++) {
    await queue.loseAndRestore();
    await queue.expectRead(50);
    await eventually("it is empty", async () => (await queue.info()).state.messages === 0);
  }
});
