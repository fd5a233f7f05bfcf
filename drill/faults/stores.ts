import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { streamNames } from "../../mixins/jetstream/definitions.ts";
import { eventStream, giftStream } from "../../services/streams.ts";
import type { Drilled, DrillRow, Fault } from "./fault.ts";
import { joined } from "./servers.ts";

/** How long a stream stays at its bound. */
const fullForMs = 10_000;
/** Of a stream of gifts: less than what waits at any moment, so that publications are refused. */
const giftBytes = 4_096;
/** Of the disk that becomes full, MB: what the streams have in a row fits easily. */
const diskMb = 256;

/** Bounds streams to these bytes while `work` runs, and as they were after it. */
async function bounded(
  nats: NatsConnection,
  names: readonly string[],
  bytesOf: (used: number) => number,
  work: () => Promise<unknown>,
): Promise<void> {
  const { streams } = await nats.jetstreamManager();
  const before = await Promise.all(names.map((name) => streams.info(name)));
  const set = (max: (at: number) => number) =>
    Promise.all(before.map(({ config }, at) => streams.update(config.name, { ...config, max_bytes: max(at) })));
  try {
    await set((at) => bytesOf(before[at]?.state.bytes ?? 0));
    await work();
  } finally {
    await set((at) => before[at]?.config.max_bytes ?? -1);
  }
}

/** EVENTS drops its oldest events from then on. */
const eventsAtBound: Fault = async ({ nats }) => {
  const names = streamNames(eventStream);
  await bounded(
    nats,
    names,
    (used) => Math.max(used, 100_000),
    () => pause(fullForMs),
  );
  return `EVENTS may have what it had, for ${fullForMs / 1_000} s`;
};

const giftsAtBound: Fault = async ({ nats }) => {
  const names = streamNames(giftStream).slice(0, giftStream.writtenPartitions);
  await bounded(
    nats,
    names,
    () => giftBytes,
    () => pause(fullForMs),
  );
  return `${giftBytes} bytes for each of ${names.length} streams, for ${fullForMs / 1_000} s`;
};

const diskServer = "nats-1";
const storeOf = ({ ha }: Drilled) => join(ha.server(diskServer).site.dir, "store");

function command(...[program, ...args]: [string, ...string[]]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr.trim()}`);
}

/** Gives the server a small disk of its own; it gets from the others what was on the other one. */
async function mountSmallDisk(drilled: Drilled): Promise<void> {
  const { ha, closing } = drilled;
  await ha.wipe(diskServer);
  const store = storeOf(drilled);
  mkdirSync(store, { recursive: true });
  command("mount", "-t", "tmpfs", "-o", `size=${diskMb}m,mode=700`, "tmpfs", store);
  // Where it is unmounted by then, umount says so.
  closing.add(async () => void spawnSync("umount", ["--lazy", store]));
  await ha.start(diskServer);
  await joined(drilled, diskServer);
}

async function unmountSmallDisk(drilled: Drilled): Promise<void> {
  const { ha } = drilled;
  await ha.kill(diskServer);
  command("umount", storeOf(drilled));
  await ha.wipe(diskServer);
  await ha.start(diskServer);
  await joined(drilled, diskServer);
}

/** Writes until the disk refuses. */
function fill(file: string): void {
  const part = Buffer.alloc(1024 * 1024, 1);
  const open = openSync(file, "w");
  try {
    for (let bytes = part.length; bytes > 0; bytes >>= 1)
      for (;;)
        try {
          if (writeSync(open, part, 0, bytes) < bytes) break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          break;
        }
  } finally {
    closeSync(open);
  }
}

const diskFull: Fault = async (underway) => {
  const { ha, flows } = underway;
  const file = join(storeOf(underway), "filler");
  fill(file);
  // It notices with its next file.
  await pause(fullForMs);
  await flows();
  rmSync(file);
  // A server that has no room puts its JetStream out of use until it starts again.
  await ha.kill(diskServer);
  await ha.start(diskServer);
  const helped = await joined(underway, diskServer);
  return `${diskServer}, a disk of ${diskMb} MB; started again once there was room${helped}`;
};

const mayMount = () =>
  process.platform === "linux" && process.getuid?.() === 0
    ? undefined
    : "a small disk is mounted by root alone, on Linux";

export function storeRows(): DrillRow[] {
  return [
    { name: "events-full", title: "EVENTS at its bound of bytes", fault: eventsAtBound },
    { name: "gifts-full", title: "the gift queue at its bound of bytes", fault: giftsAtBound },
    {
      name: "disk-full",
      title: "the disk of one NATS server full",
      fault: diskFull,
      ...{ before: mountSmallDisk, after: unmountSmallDisk, obstacle: mayMount },
    },
  ];
}
