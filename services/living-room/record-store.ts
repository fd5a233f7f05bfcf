import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { bytesOf, externalIdOf } from "./external-id-column.ts";
import type { ClosedRoom } from "./living-room.contract.ts";
import type { RoomRow } from "./room-store.ts";

/** SQL that reads the records of closed rooms. */

type Record = Pick<RoomRow, "id" | "anchor_id" | "external_id">;

const columns = "id, anchor_id, external_id";

const closedRoom = (row: Record): ClosedRoom => ({
  roomId: toSafeInteger(row.id),
  anchorId: String(row.anchor_id),
  ...externalIdOf(row),
});

/** Rooms that were closed at a time or later, in the order of their ids, a page; `after` is the last id of the one before. */
export async function roomsClosedSince(
  db: Queryable,
  since: Date,
  after: number,
  limit: number,
): Promise<(ClosedRoom & { time: string })[]> {
  const rows = await db.query<Record & { end_time: Date }>(
    `SELECT ${columns}, end_time FROM t_living_room_record WHERE end_time >= ? AND id > ? ORDER BY id LIMIT ?`,
    [since, after, limit],
  );
  return rows.map((row) => ({ ...closedRoom(row), time: row.end_time.toISOString() }));
}

/** The anchor of a room that was closed within the last `ms`; `undefined` where no such room was. */
export async function anchorOfJustClosed(db: Queryable, roomId: number, ms: number): Promise<string | undefined> {
  const [row] = await db.query<Record>(
    "SELECT anchor_id FROM t_living_room_record WHERE id = ? AND end_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND",
    [roomId, ms * 1_000],
  );
  return row && String(row.anchor_id);
}

export async function closedRoomById(db: Queryable, roomId: number): Promise<ClosedRoom | undefined> {
  const [row] = await db.query<Record>(`SELECT ${columns} FROM t_living_room_record WHERE id = ?`, [roomId]);
  return row && closedRoom(row);
}

/** The newest closed room that the platform called so. */
export async function closedRoomByExternalId(db: Queryable, externalRoomId: string): Promise<ClosedRoom | undefined> {
  const sql = `SELECT ${columns} FROM t_living_room_record WHERE external_id = ? ORDER BY id DESC LIMIT 1`;
  const [row] = await db.query<Record>(sql, [bytesOf(externalRoomId)]);
  return row && closedRoom(row);
}

/** The platform's ids of these closed rooms; those without one are left out. */
export async function externalIdsOfClosed(
  db: Queryable,
  roomIds: readonly number[],
): Promise<{ roomId: number; externalRoomId: string }[]> {
  const sql = "SELECT id, external_id FROM t_living_room_record WHERE id IN (?) AND external_id IS NOT NULL";
  const rows = await db.query<{ id: string; external_id: Buffer }>(sql, [roomIds]);
  return rows.map((row) => ({ roomId: toSafeInteger(row.id), externalRoomId: row.external_id.toString("utf8") }));
}

/** The last closed room of each of these ids of the platform; ids without one are left out. */
export async function lastClosedByExternalIds(
  db: Queryable,
  externalRoomIds: readonly string[],
): Promise<{ roomId: number; externalRoomId: string }[]> {
  const rows = await db.query<{ id: string; external_id: Buffer }>(
    "SELECT MAX(id) AS id, external_id FROM t_living_room_record WHERE external_id IN (?) GROUP BY external_id",
    [externalRoomIds.map(bytesOf)],
  );
  return rows.map((row) => ({ roomId: toSafeInteger(row.id), externalRoomId: row.external_id.toString("utf8") }));
}
