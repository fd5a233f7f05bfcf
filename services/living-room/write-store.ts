import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { externalIdOf } from "./external-id-column.ts";
import type { LiveRoom } from "./living-room.contract.ts";
import type { RoomRow } from "./room-store.ts";

/** SQL of the writes of the platform that opened or closed a room, or found it open or closed. */

interface RoomWrite {
  readonly writeId: string;
  readonly roomId: number;
  /** Whether the write itself opened or closed the room. */
  readonly changed: boolean;
}

/** Throws a duplicate-key error where the write is there: then an earlier run of it decided. */
export async function insertWrite(tx: Transaction, { writeId, roomId, changed }: RoomWrite): Promise<void> {
  await tx.run(
    "INSERT INTO t_room_write (write_id, room_id, changed, create_time) VALUES (?, ?, ?, UTC_TIMESTAMP(3))",
    [writeId, roomId, changed ? 1 : 0],
  );
}

/** What an earlier run of the write did, and the room, live or closed. */
export async function outcomeOfWrite(
  db: Queryable,
  writeId: string,
): Promise<{ room: LiveRoom; changed: boolean } | undefined> {
  const room = "r.id, r.anchor_id, r.type, r.room_name, r.external_id";
  const [row] = await db.query<Omit<RoomRow, "guest_id"> & { changed: number }>(
    `SELECT w.changed, ${room} FROM t_room_write w JOIN t_living_room r ON r.id = w.room_id WHERE w.write_id = ?
     UNION ALL
     SELECT w.changed, ${room} FROM t_room_write w JOIN t_living_room_record r ON r.id = w.room_id WHERE w.write_id = ?`,
    [writeId, writeId],
  );
  if (!row) return undefined;
  return {
    room: {
      roomId: toSafeInteger(row.id),
      anchorId: String(row.anchor_id),
      type: row.type,
      roomName: row.room_name,
      ...externalIdOf(row),
    },
    changed: Number(row.changed) === 1,
  };
}

/** Deletes writes that are older than any repeat. Returns how many. */
export async function purgeWrites(tx: Transaction): Promise<number> {
  const { writesKeptMs, writesPerPurge } = limits.room;
  const { affectedRows } = await tx.run(
    `DELETE FROM t_room_write WHERE create_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND
     ORDER BY create_time LIMIT ?`,
    [writesKeptMs * 1_000, writesPerPurge],
  );
  return affectedRows;
}
