import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StreamConfig, StreamState } from "nats";
import { z } from "zod";
import { replaceFile } from "../stack/files.ts";

/** What a backup's folder holds. It is written last: a folder without it is no backup. */

const file = "manifest.json";

const sum = {
  file: z.string().regex(/^[A-Za-z0-9_.-]{1,120}$/),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
};

const stream = z.object({
  ...sum,
  stream: z.string().min(1),
  /** Its creation, by which the databases know it. */
  created: z.string().min(1),
  /** As nats-server wants them back. */
  config: z.custom<StreamConfig>((value) => typeof value === "object" && value !== null),
  state: z.custom<StreamState>((value) => typeof value === "object" && value !== null),
  /** How far each consumer had acked. */
  consumers: z.array(z.object({ name: z.string(), ackFloor: z.int().min(0), waiting: z.int().min(0) })),
});

const databases = z.array(
  z.object({
    ...sum,
    database: z.string().min(1),
    rows: z.record(z.string(), z.int().min(0)),
    /** The newest migration of each folder, by name. */
    migrations: z.array(z.string()),
  }),
);

/** Where the server's log of changes was at the snapshot; `null` where it keeps none. */
const binlog = z.object({ file: z.string(), position: z.number(), gtid: z.string(), exact: z.boolean() }).nullable();

const further = z.object({
  /** Its name and number among the servers of ledgers. */
  server: z.string().min(1),
  number: z.int().min(1),
  databases,
  databaseServer: z.string(),
  binlog,
});

const manifest = z.object({
  /** 2: there are further servers, which a release that knows 1 alone would take for none. */
  format: z.union([z.literal(1), z.literal(2)]),
  /** A random name of this backup. */
  id: z.uuid(),
  namespace: z.string(),
  release: z.string(),
  /** Before the databases' snapshots: whatever was committed by then is in it. */
  begun: z.iso.datetime(),
  ended: z.iso.datetime(),
  /** Of the home server, where ledgers are on several. */
  databases,
  databaseServer: z.string(),
  binlog,
  /** Ledgers and gift records on further servers, each as of a moment shortly after that of the home server. */
  further: z.array(further).default([]),
  streamServer: z.string(),
  streams: z.array(stream),
  /**
   * The stream of events just before the databases' snapshots: events up to this sequence are in the databases. `null`:
   * there was none.
   */
  events: z.object({ created: z.string(), lastSequence: z.int().min(0) }).nullable(),
  /** The names of the keys by setting, each with a digest that tells the key from another one. */
  keys: z.record(z.string(), z.record(z.string(), z.string())),
});

export type Manifest = z.infer<typeof manifest>;
/** A database of a backup. */
export type DatabasePart = Manifest["databases"][number];
export type StreamPart = z.infer<typeof stream>;

export function writeManifest(folder: string, content: Manifest): void {
  replaceFile(join(folder, file), `${JSON.stringify(manifest.parse(content), null, 2)}\n`);
}

/** @throws Error where the folder holds no complete backup */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`${folder} has no ${file}: it is no backup, or one that did not come to its end`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(`${path} is no JSON: the backup is damaged`);
  }
  const read = manifest.safeParse(content);
  if (read.success) return read.data;
  const { path: where = [], message = "" } = read.error.issues[0] ?? {};
  throw new Error(`${path} is not usable: ${where.join(".")}: ${message}`);
}
