import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { JetStreamManager, NatsConnection, StreamInfo } from "nats";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { deadLetters, streamNames } from "../../mixins/jetstream/definitions.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { allStreams } from "../../services/stream-access.ts";
import { eventStream, giftStream } from "../../services/streams.ts";
import { sumOf } from "./backup-file.ts";
import type { StreamPart } from "./manifest.ts";
import { snapshotToFile } from "./stream-snapshot.ts";

/**
 * The order in which streams are taken. A gift leaves the queue once it is in EVENTS, or among the dead letters: so the
 * queue comes first, the dead letters next and EVENTS last, and a gift is in one of them whatever happens meanwhile. All
 * of them come after the databases: what they hold that the databases lack is replayed.
 */
export function streamsInOrder(): string[] {
  const first = streamNames(giftStream);
  const last = [...streamNames(deadLetters), ...streamNames(eventStream)];
  const others = allStreams.flatMap(streamNames).filter((name) => !first.includes(name) && !last.includes(name));
  return [...first, ...others, ...last];
}

export const eventsName = () => natsPrefix() + eventStream.name;
const deadName = () => natsPrefix() + deadLetters.name;

async function consumersOf(manager: JetStreamManager, stream: string): Promise<StreamPart["consumers"]> {
  const list: StreamPart["consumers"] = [];
  for await (const { name, ack_floor, num_pending, num_ack_pending } of manager.consumers.list(stream))
    list.push({ name, ackFloor: ack_floor.stream_seq, waiting: num_pending + num_ack_pending });
  return list;
}

/** How many dead letters were removed between two looks: put back into their stream, given up, or too old. */
function removedBetween(before: StreamInfo | undefined, after: StreamInfo | undefined): number {
  if (!before || !after || before.created !== after.created) return 0;
  return before.state.messages + (after.state.last_seq - before.state.last_seq) - after.state.messages;
}

/**
 * Takes every stream of the namespace that is there. Where dead letters went back into a queue that was taken before,
 * all are taken again.
 */
export async function takeStreams(
  connection: NatsConnection,
  folder: string,
  progress: (line: string) => void,
): Promise<StreamPart[]> {
  const manager = await connection.jetstreamManager();
  for (let round = 1; ; round++) {
    const before = await findStream(manager, deadName());
    const parts: StreamPart[] = [];
    for (const stream of streamsInOrder()) {
      const info = await findStream(manager, stream);
      if (!info) continue;
      const file = join(folder, `${stream}.stream`);
      await rm(file, { force: true });
      const consumers = await consumersOf(manager, stream);
      const about = await snapshotToFile(connection, stream, file);
      parts.push({ stream, created: info.created, ...about, consumers, ...(await sumOf(file)) });
      progress(`stream ${stream}: ${about.state.messages.toLocaleString("en")} messages`);
    }
    if (removedBetween(before, await findStream(manager, deadName())) === 0) return parts;
    if (round === limits.backup.streamRounds)
      throw new Error("dead letters are put back all the time: wait until nobody replays them, and begin again");
    progress("dead letters were put back or given up meanwhile: the streams are taken again");
  }
}
