import type { Connection } from "mysql2/promise";
import type { JetStreamManager, NatsConnection, StreamInfo } from "nats";
import { databaseName } from "../../config/config.ts";
import { isNameOf, streamNames } from "../../mixins/jetstream/definitions.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { allStreams, streamAccess } from "../../services/stream-access.ts";
import { named } from "../backup/dump-text.ts";
import type { StreamPart } from "../backup/manifest.ts";
import { eventsName } from "../backup/streams.ts";

/**
 * Where the readers of logs go on. What a reader writes went back to the backup with its database, so it must read again
 * what came after: its consumer is deleted, and made again at the position in its database. Reading again is idempotent.
 */

/**
 * Readers that write nothing into a database: what they did is on screens and phones, and is not done again. Their
 * consumers stay as they are; where EVENTS was lost, they go on from where they were at the backup.
 */
const leftAlone = {
  gift: ["gift-effects"],
  notification: ["notification-payment-received", "notification-gift-failed"],
} as const satisfies Partial<Record<keyof typeof streamAccess, readonly string[]>>;
const areLeft: readonly string[] = Object.values(leftAlone).flat();

/** Consumers of other systems, or of nobody known, stay too. */
const ownConsumers = Object.values(streamAccess).flatMap(({ consumers }) => consumers.map(({ durable }) => durable));
const readsAgain = (name: string) =>
  ownConsumers.some((durable) => !areLeft.includes(durable) && isNameOf(durable, name));

/** The auditor's readers of seals: those of the lost time name rows that are gone, and would be an alarm for ever. */
const sealReaders = streamAccess.auditor.consumers.map(({ durable }) => durable);

interface NewPosition {
  readonly service: keyof typeof streamAccess;
  readonly reader: string;
  readonly sequence: number;
}

/** A position that is further already stays, within the stream. */
async function setPosition(connection: Connection, events: StreamInfo, position: NewPosition): Promise<void> {
  const { service, reader, sequence } = position;
  await connection.query(
    `INSERT INTO ${named(databaseName(service))}.t_stream_position
       (reader, stream, stream_created, sequence, unread_since)
     VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE sequence = LEAST(GREATEST(sequence, VALUES(sequence)), ?),
       unread_since = VALUES(unread_since)`,
    [reader, events.config.name, events.created, sequence, events.state.last_seq],
  );
}

/** A consumer, and the sequence up to which it has acked everything that it wants. */
interface Reading {
  readonly name: string;
  readonly upTo: number;
}

/** Of a stream that is alive. */
async function readingsOf(manager: JetStreamManager, { config, state }: StreamInfo): Promise<Reading[]> {
  const list: Reading[] = [];
  for await (const { name, num_pending, num_ack_pending, ack_floor } of manager.consumers.list(config.name))
    list.push({ name, upTo: num_pending + num_ack_pending === 0 ? state.last_seq : ack_floor.stream_seq });
  return list;
}

/** Of a stream that was made from its backup, which is without consumers. */
const readingsAtBackup = ({ consumers, state }: Pick<StreamPart, "consumers" | "state">): Reading[] =>
  consumers.map(({ name, ackFloor, waiting }) => ({
    name,
    upTo: waiting === 0 ? Math.max(ackFloor, state.first_seq - 1) : ackFloor,
  }));

/** The databases say of the readers that are left alone where they are. */
async function keepPositions(connection: Connection, events: StreamInfo, readings: readonly Reading[]): Promise<void> {
  const { last_seq } = events.state;
  for (const reader of sealReaders)
    await setPosition(connection, events, { service: "auditor", reader, sequence: last_seq });
  for (const [service, readers] of Object.entries(leftAlone) as [keyof typeof leftAlone, readonly string[]][])
    for (const { name, upTo } of readings) {
      const reader = readers.find((durable) => isNameOf(durable, name));
      if (reader) await setPosition(connection, events, { service, reader, sequence: upTo });
    }
}

/**
 * Sets the readers back; returns the consumers that will read again. `remade`: EVENTS of the backup, where it was made
 * from it. A repeat does the same.
 */
export async function setReadersBack(
  connection: Connection,
  nats: NatsConnection,
  remade: Pick<StreamPart, "consumers" | "state"> | undefined,
): Promise<string[]> {
  const manager = await nats.jetstreamManager();
  const deleted: string[] = [];
  for (const definition of allStreams)
    for (const stream of definition.kind === "log" ? streamNames(definition) : []) {
      if (!(await findStream(manager, stream))) continue;
      const names: string[] = [];
      for await (const { name } of manager.consumers.list(stream)) if (readsAgain(name)) names.push(name);
      for (const name of names) await manager.consumers.delete(stream, name);
      deleted.push(...names);
    }
  const events = await findStream(manager, eventsName());
  if (events)
    await keepPositions(connection, events, remade ? readingsAtBackup(remade) : await readingsOf(manager, events));
  return deleted;
}
