import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { toSafeInteger } from "../../mixins/mysql/database.ts";
import type { LiveRoom, RoomListItem } from "./living-room.contract.ts";

/** All SQL of the living-room service. */

interface RoomRow {
  id: string | number;
  anchor_id: string | number;
  type: number;
  room_name: string;
}

const columns = "id, anchor_id, type, room_name";

function liveRoom(row: RoomRow | undefined): LiveRoom | null {
  if (!row) return null;
  return { roomId: toSafeInteger(row.id), anchorId: String(row.anchor_id), type: row.type, roomName: row.room_name };
}

export async function roomById(db: Queryable, roomId: number): Promise<LiveRoom | null> {
  const [row] = await db.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE id = ?`, [roomId]);
  return liveRoom(row);
}

export async function roomByAnchor(db: Queryable, anchorId: string): Promise<LiveRoom | null> {
  const [row] = await db.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE anchor_id = ?`, [anchorId]);
  return liveRoom(row);
}

/** Throws a duplicate-key error where the anchor has a live room. */
export async function insertRoom(tx: Transaction, room: Omit<LiveRoom, "roomId">): Promise<LiveRoom> {
  const { insertId } = await tx.run(
    `INSERT INTO t_living_room (anchor_id, type, status, room_name, covert_img, start_time, update_time)
     VALUES (?, ?, 1, ?, '', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [room.anchorId, room.type, room.roomName],
  );
  return { roomId: toSafeInteger(insertId), ...room };
}

/** The room, held against everybody else until the transaction ends. */
export async function lockRoom(tx: Transaction, roomId: number): Promise<LiveRoom | null> {
  const [row] = await tx.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE id = ? FOR UPDATE`, [roomId]);
  return liveRoom(row);
}

export async function moveToRecords(tx: Transaction, roomId: number): Promise<void> {
  const kept = "id, anchor_id, type, room_name, covert_img, watch_num, good_num, start_time";
  await tx.run(
    `INSERT INTO t_living_room_record (${kept}, status, end_time, update_time)
     SELECT ${kept}, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM t_living_room WHERE id = ?`,
    [roomId],
  );
  await tx.run("DELETE FROM t_living_room WHERE id = ?", [roomId]);
}

/** Live rooms of a type, newest first. */
export async function roomsOfType(db: Queryable, type: number, offset: number, limit: number): Promise<RoomListItem[]> {
  const rows = await db.query<RoomRow & { watch_num: number; good_num: number; covert_img: string }>(
    `SELECT ${columns}, watch_num, good_num, covert_img FROM t_living_room
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

/** Writes how many watch, in one statement, where it is news; rooms that are not live any more are passed over. */
export async function writeWatchNumbers(
  tx: Transaction,
  rooms: readonly { roomId: number; watchNum: number }[],
): Promise<void> {
  if (rooms.length === 0) return;
  const told = `CASE id ${"WHEN ? THEN ? ".repeat(rooms.length)}ELSE watch_num END`;
  const numbers = rooms.flatMap(({ roomId, watchNum }) => [roomId, watchNum]);
  await tx.run(
    `UPDATE t_living_room SET watch_num = ${told}, update_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND watch_num <> ${told}`,
    [...numbers, rooms.map(({ roomId }) => roomId), ...numbers],
  );
}
