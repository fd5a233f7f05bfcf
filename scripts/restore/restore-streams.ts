import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { JetStreamManager, NatsConnection } from "nats";
import { limits } from "../../config/limits.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { named } from "../backup/dump-text.ts";
import type { Manifest } from "../backup/manifest.ts";
import { restoreStream } from "../backup/stream-snapshot.ts";
import { streamsInOrder } from "../backup/streams.ts";
import type { PlacedDatabase } from "./load-databases.ts";
import type { RestoreState } from "./restore-state.ts";

/** The streams of a restore: those of the backup, or those that are alive. */

const stepOf = (stream: string) => `stream ${stream}`;

/** Whether this restore made the stream from its backup. */
export const wasRestored = async (state: RestoreState, stream: string): Promise<boolean> =>
  (await state.of(stepOf(stream))) === "done";

async function thereOf(manager: JetStreamManager): Promise<string[]> {
  const there: string[] = [];
  for (const stream of streamsInOrder()) if (await findStream(manager, stream)) there.push(stream);
  return there;
}

/** @throws Error where there are streams that are neither to be kept nor restored by this restore */
export async function requireNoStreams(manager: JetStreamManager, state: RestoreState): Promise<void> {
  const foreign: string[] = [];
  for (const stream of await thereOf(manager)) if ((await state.of(stepOf(stream))) === "none") foreign.push(stream);
  if (foreign.length > 0)
    throw new Error(
      `there are streams: ${foreign.join(", ")}. If they outlived the databases, give --streams keep: they hold what ` +
        "happened after the backup. If they are of no use, delete them first",
    );
}

async function pulling(manager: JetStreamManager): Promise<string[]> {
  const busy: string[] = [];
  for (const stream of await thereOf(manager))
    for await (const { name, num_waiting } of manager.consumers.list(stream))
      if (num_waiting > 0) busy.push(`${stream}/${name}`);
  return busy;
}

/** @throws Error where nodes of the system run: they would write while the books are put together */
export async function requireStopped(manager: JetStreamManager): Promise<void> {
  const deadline = performance.now() + limits.backup.stoppedWaitMs;
  for (;;) {
    const busy = await pulling(manager);
    if (busy.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(
        `nodes of the system still run, since somebody pulls ${busy.slice(0, 5).join(", ")}: stop them first`,
      );
    await pause(500);
  }
}

/** What a database remembers of a stream names its creation: a stream that was made again may have another one. */
async function renameCreation(
  databases: readonly PlacedDatabase[],
  { stream, from, to }: { stream: string; from: string; to: string },
): Promise<void> {
  for (const { database, rows, connection } of databases) {
    const inDatabase = (table: string) => `${named(database)}.${table}`;
    if ("t_stream_position" in rows)
      await connection.query(
        `UPDATE ${inDatabase("t_stream_position")} SET stream_created = ? WHERE stream = ? AND stream_created = ?`,
        [to, stream, from],
      );
    if ("t_outbox" in rows)
      await connection.query(`UPDATE ${inDatabase("t_outbox")} SET sent_created = ? WHERE sent_created = ?`, [
        to,
        from,
      ]);
  }
}

interface Restoring {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly databases: readonly PlacedDatabase[];
  readonly nats: NatsConnection;
  /** Streams that are there are those of the running system. */
  readonly keepStreams: boolean;
  readonly progress: (line: string) => void;
}

/** Restores every stream of the backup that is not there. */
export async function restoreStreams(state: RestoreState, restoring: Restoring): Promise<void> {
  const { folder, manifest, databases, nats, keepStreams, progress } = restoring;
  const manager = await nats.jetstreamManager();
  for (const part of manifest.streams) {
    const { stream } = part;
    const step = stepOf(stream);
    if ((await state.of(step)) === "none" && (await findStream(manager, stream))) {
      if (!keepStreams)
        throw new Error(
          `stream ${stream} was made meanwhile: a node runs. Stop it, delete the stream, and begin again`,
        );
      progress(`stream ${stream}: it is there, and kept`);
      continue;
    }
    await state.step(step, async () => {
      // The server makes a stream as a whole or not at all: one that is there was made by the run before.
      if (!(await findStream(manager, stream))) await restoreStream(nats, part, join(folder, part.file));
      const wanted = part.state.last_seq;
      let made = await findStream(manager, stream);
      if (made?.state.messages === 0 && made.state.last_seq < wanted) {
        // An empty stream may come back without its last sequence, behind which positions in the databases would lie.
        await manager.streams.purge(stream, { seq: wanted + 1 });
        made = await findStream(manager, stream);
      }
      // What came while the snapshot was written may be in it too.
      if (!made || made.state.last_seq < wanted)
        throw new Error(
          `stream ${stream} is not as in the backup after its restoring: its last sequence is ${made?.state.last_seq}, ` +
            `and ${wanted} is in the backup`,
        );
      if (made.created !== part.created)
        await renameCreation(databases, { stream, from: part.created, to: made.created });
      progress(`stream ${stream}: ${made.state.messages.toLocaleString("en")} messages`);
    });
  }
}
