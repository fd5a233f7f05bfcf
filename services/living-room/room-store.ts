import { limits } from "../../config/limits.ts";
import type { Database, Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { toSafeInteger } from "../../mixins/mysql/database.ts";
import type { LookedRoom } from "./attendance.ts";
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

/** Whose a room was that was closed within the last `ms`, `undefined` where no such room was. */
export async function anchorOfJustClosed(db: Queryable, roomId: number, ms: number): Promise<string | undefined> {
  const [row] = await db.query<Pick<RoomRow, "anchor_id">>(
    "SELECT anchor_id FROM t_living_room_record WHERE id = ? AND end_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND",
    [roomId, ms * 1_000],
  );
  return row && String(row.anchor_id);
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

interface WatchNumber {
  roomId: number;
  watchNum: number;
}

/**
 * Writes how many watch, a statement for so many rooms; rooms that are not live are passed over. Every node locks rows in
 * the order of their ids, so that two of these never wait for each other.
 */
export async function setWatchNumbers(db: Database, rooms: readonly WatchNumber[]): Promise<void> {
  const size = limits.room.watchNumbersPerStatement;
  const ordered = rooms.toSorted((a, b) => a.roomId - b.roomId);
  for (let at = 0; at < ordered.length; at += size)
    await db.transaction((tx) => writeWatchNumbers(tx, ordered.slice(at, at + size)));
}

async function writeWatchNumbers(tx: Transaction, rooms: readonly WatchNumber[]): Promise<void> {
  const told = `CASE id ${"WHEN ? THEN ? ".repeat(rooms.length)}ELSE watch_num END`;
  const numbers = rooms.flatMap(({ roomId, watchNum }) => [roomId, watchNum]);
  await tx.run(
    `UPDATE t_living_room SET watch_num = ${told}, update_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND watch_num <> ${told}`,
    [...numbers, rooms.map(({ roomId }) => roomId), ...numbers],
  );
}

const looked = "id, anchor_id, watch_num, anchor_seen, away_since IS NOT NULL AS away";

interface LookedRow {
  id: string | number;
  anchor_id: string | number;
  watch_num: number;
  anchor_seen: number;
  away: number;
}

function lookedRoom({ id, anchor_id, watch_num, anchor_seen, away }: LookedRow): LookedRoom {
  const marks = { anchorSeen: Number(anchor_seen) === 1, away: Number(away) === 1 };
  return { roomId: toSafeInteger(id), anchorId: String(anchor_id), watchNum: watch_num, ...marks };
}

/** Live rooms in the order of their ids, from the first one after `roomId` on. */
export async function roomsAfter(db: Queryable, roomId: number, limit: number): Promise<LookedRoom[]> {
  const sql = `SELECT ${looked} FROM t_living_room WHERE id > ? ORDER BY id LIMIT ?`;
  return (await db.query<LookedRow>(sql, [roomId, limit])).map(lookedRoom);
}

const deserted = "anchor_seen = 1 AND away_since <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND";

/** Rooms whose anchor has been away for `awayMs`, by the database's clock, longest first. */
export async function desertedRooms(db: Queryable, awayMs: number, limit: number): Promise<LookedRoom[]> {
  const sql = `SELECT ${looked} FROM t_living_room WHERE ${deserted} ORDER BY away_since LIMIT ?`;
  return (await db.query<LookedRow>(sql, [awayMs * 1_000, limit])).map(lookedRoom);
}

/** The room, held until the transaction ends, where its anchor has been away for `awayMs`. */
export async function lockDesertedRoom(tx: Transaction, roomId: number, awayMs: number): Promise<LiveRoom | null> {
  const sql = `SELECT ${columns} FROM t_living_room WHERE id = ? AND ${deserted} FOR UPDATE`;
  const [row] = await tx.query<RoomRow>(sql, [roomId, awayMs * 1_000]);
  return liveRoom(row);
}

/** Notes that the anchor enters the room, where it is hers. */
export async function markAnchorEntered(db: Queryable, roomId: number, anchorId: string): Promise<void> {
  await db.run(
    `UPDATE t_living_room SET anchor_seen = 1, away_since = NULL
     WHERE id = ? AND anchor_id = ? AND (anchor_seen = 0 OR away_since IS NOT NULL)`,
    [roomId, anchorId],
  );
}

/** Notes that the anchor has been in the room, where it is hers; whether she is away stays as it is known. */
export async function markAnchorSeen(db: Queryable, roomId: number, anchorId: string): Promise<void> {
  const seen = "UPDATE t_living_room SET anchor_seen = 1 WHERE id = ? AND anchor_id = ? AND anchor_seen = 0";
  await db.run(seen, [roomId, anchorId]);
}

/** Notes that the anchors are in these rooms. */
export async function markAnchorsHere(tx: Transaction, roomIds: readonly number[]): Promise<void> {
  if (roomIds.length === 0) return;
  await tx.run(
    `UPDATE t_living_room SET anchor_seen = 1, away_since = NULL
     WHERE id IN (?) AND (anchor_seen = 0 OR away_since IS NOT NULL)`,
    [roomIds],
  );
}

/** Notes that the anchor is away from these rooms from now on, where she has been there and is not away already. */
export async function markAnchorsGone(tx: Transaction, roomIds: readonly number[]): Promise<void> {
  if (roomIds.length === 0) return;
  await tx.run(
    `UPDATE t_living_room SET away_since = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND anchor_seen = 1 AND away_since IS NULL`,
    [roomIds],
  );
}

/** Takes away marks of absence, `limit` at the most; says how many. */
export async function forgetAway(tx: Transaction, limit: number): Promise<number> {
  const sql = "UPDATE t_living_room SET away_since = NULL WHERE away_since IS NOT NULL ORDER BY away_since LIMIT ?";
  return (await tx.run(sql, [limit])).affectedRows;
}

/** Writes how many watch where the number is still the one that was read: what was reported since then is newer. */
export async function correctWatchNumbers(
  tx: Transaction,
  rooms: readonly { roomId: number; was: number; is: number }[],
): Promise<void> {
  if (rooms.length === 0) return;
  const cases = (values: string) => `CASE id ${values.repeat(rooms.length)}END`;
  await tx.run(
    `UPDATE t_living_room SET watch_num = ${cases("WHEN ? THEN ? ")}, update_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND watch_num = ${cases("WHEN ? THEN ? ")}`,
    [
      ...rooms.flatMap(({ roomId, is }) => [roomId, is]),
      rooms.map(({ roomId }) => roomId),
      ...rooms.flatMap(({ roomId, was }) => [roomId, was]),
    ],
  );
}

/** The last look over all rooms: the epoch of the presence that was asked, and how long ago it was. */
export async function lastLook(db: Queryable): Promise<{ epoch: string; agoMs: number }> {
  const [row] = await db.query<{ epoch: string; ago: string }>(
    `SELECT epoch, TIMESTAMPDIFF(MICROSECOND, looked_time, UTC_TIMESTAMP(3)) AS ago
     FROM t_living_room_look WHERE id = 1`,
  );
  return { epoch: row?.epoch ?? "", agoMs: Number(row?.ago ?? 0) / 1_000 };
}

export async function noteLook(tx: Transaction, epoch: string): Promise<void> {
  await tx.run("UPDATE t_living_room_look SET epoch = ?, looked_time = UTC_TIMESTAMP(3) WHERE id = 1", [epoch]);
}
