import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { bytesOf, externalIdOf } from "./external-id-column.ts";
import type { RoomListItem } from "./living-room.contract.ts";
import type { StaffRoom } from "./staff.contract.ts";

/** SQL that lists rooms: for staff live and closed ones, for viewers live ones. Each statement is by an index and bounded. */

interface Row {
  id: string | number;
  anchor_id: string | number;
  type: number;
  room_name: string;
  watch_num: number;
  start_time: Date;
  external_id: Buffer | null;
  guest_id?: string | number | null;
  end_time?: Date;
  closed_by?: string | null;
  close_reason?: string | null;
}

const columns = "id, anchor_id, type, room_name, watch_num, start_time, external_id";
const liveColumns = `${columns}, guest_id`;
const closedColumns = `${columns}, end_time, closed_by, close_reason`;

function staffRoom(row: Row): StaffRoom {
  return {
    roomId: toSafeInteger(row.id),
    externalRoomId: externalIdOf(row).externalRoomId ?? null,
    anchorId: String(row.anchor_id),
    type: row.type,
    roomName: row.room_name,
    live: row.end_time === undefined,
    watchNum: row.watch_num,
    startTime: row.start_time.toISOString(),
    endTime: row.end_time?.toISOString() ?? null,
    guestId: row.guest_id == null ? null : String(row.guest_id),
    closedBy: row.closed_by ?? null,
    closeReason: row.close_reason ?? null,
  };
}

/**
 * The first row of a live room, else that of a closed one. The live ones are read first: a room that is closed in between
 * is found among the closed ones.
 */
export async function roomById(db: Queryable, roomId: number): Promise<StaffRoom | undefined> {
  const [live] = await db.query<Row>(`SELECT ${liveColumns} FROM t_living_room WHERE id = ?`, [roomId]);
  if (live) return staffRoom(live);
  const [closed] = await db.query<Row>(`SELECT ${closedColumns} FROM t_living_room_record WHERE id = ?`, [roomId]);
  return closed && staffRoom(closed);
}

/** An anchor's rooms with ids below the cursor, newest first. A live room is the newest one. */
export async function roomsOfAnchor(
  db: Queryable,
  { userId, cursor, limit }: { userId: string; cursor?: string | undefined; limit: number },
): Promise<StaffRoom[]> {
  const below = cursor === undefined ? "" : "AND id < ?";
  const values = cursor === undefined ? [userId] : [userId, cursor];
  const live = await db.query<Row>(`SELECT ${liveColumns} FROM t_living_room WHERE anchor_id = ? ${below}`, values);
  const closed = await db.query<Row>(
    `SELECT ${closedColumns} FROM t_living_room_record WHERE anchor_id = ? ${below} ORDER BY id DESC LIMIT ?`,
    [...values, limit],
  );
  // A room that was closed between the two reads is in both.
  const closedIds = new Set(closed.map(({ id }) => String(id)));
  return [...live.filter(({ id }) => !closedIds.has(String(id))), ...closed].map(staffRoom).slice(0, limit);
}

/** The live room that the platform calls so, and the last closed one. */
export async function roomsByExternalId(db: Queryable, externalRoomId: string): Promise<StaffRoom[]> {
  const id = bytesOf(externalRoomId);
  const live = await db.query<Row>(`SELECT ${liveColumns} FROM t_living_room WHERE external_id = ?`, [id]);
  const closed = await db.query<Row>(
    `SELECT ${closedColumns} FROM t_living_room_record WHERE external_id = ? ORDER BY id DESC LIMIT 1`,
    [id],
  );
  return [...live, ...closed].map(staffRoom);
}

/** Live rooms of a type, newest first. */
export async function roomsOfType(db: Queryable, type: number, offset: number, limit: number): Promise<RoomListItem[]> {
  const rows = await db.query<
    Pick<Row, "id" | "anchor_id" | "room_name" | "watch_num"> & { good_num: number; covert_img: string }
  >(
    `SELECT id, anchor_id, room_name, watch_num, good_num, covert_img FROM t_living_room
     WHERE type = ? ORDER BY id DESC LIMIT ? OFFSET ?`,
    [type, limit, offset],
  );
  return rows.map((row) => ({
    id: toSafeInteger(row.id),
    roomName: row.room_name,
    anchorId: String(row.anchor_id),
    watchNum: row.watch_num,
    goodNum: row.good_num,
    covertImg: row.covert_img,
  }));
}
