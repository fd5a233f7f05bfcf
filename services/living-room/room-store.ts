import { limits } from "../../config/limits.ts";
import type { Database, Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { toSafeInteger } from "../../mixins/mysql/database.ts";
import type { CheckedRoom } from "./attendance.ts";
import { bytesOf, externalIdOf } from "./external-id-column.ts";
import type { LiveRoom } from "./living-room.contract.ts";
import type { ClosedBy } from "./staff.contract.ts";

/** SQL of the live rooms, and what moves them to the records; reads of closed rooms are in record-store.ts. */

export interface RoomRow {
  id: string | number;
  anchor_id: string | number;
  type: number;
  room_name: string;
  guest_id: string | number | null;
  external_id: Buffer | null;
}

const columns = "id, anchor_id, type, room_name, guest_id, external_id";

function liveRoom(row: RoomRow | undefined): LiveRoom | null {
  if (!row) return null;
  const room = {
    roomId: toSafeInteger(row.id),
    anchorId: String(row.anchor_id),
    type: row.type,
    roomName: row.room_name,
    ...externalIdOf(row),
  };
  return row.guest_id === null ? room : { ...room, guestId: String(row.guest_id) };
}

/** The live rooms among these, by room id. */
export async function roomsByIds(db: Queryable, roomIds: readonly number[]): Promise<Map<number, LiveRoom>> {
  const rows = await db.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE id IN (?)`, [roomIds]);
  return new Map(rows.map((row) => [toSafeInteger(row.id), liveRoom(row) as LiveRoom]));
}

export async function roomById(db: Queryable, roomId: number): Promise<LiveRoom | null> {
  const [row] = await db.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE id = ?`, [roomId]);
  return liveRoom(row);
}

export async function roomByAnchor(db: Queryable, anchorId: string): Promise<LiveRoom | null> {
  const [row] = await db.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE anchor_id = ?`, [anchorId]);
  return liveRoom(row);
}

/** Throws a duplicate-key error where the anchor, or the platform's id, has a live room. */
export async function insertRoom(tx: Transaction, room: Omit<LiveRoom, "roomId" | "guestId">): Promise<LiveRoom> {
  const { insertId } = await tx.run(
    `INSERT INTO t_living_room (anchor_id, type, status, room_name, external_id, covert_img, start_time, update_time)
     VALUES (?, ?, 1, ?, ?, '', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [room.anchorId, room.type, room.roomName, room.externalRoomId === undefined ? null : bytesOf(room.externalRoomId)],
  );
  return { roomId: toSafeInteger(insertId), ...room };
}

/** The live rooms that the platform calls by these ids. */
export async function roomsByExternalIds(db: Queryable, externalRoomIds: readonly string[]): Promise<LiveRoom[]> {
  const sql = `SELECT ${columns} FROM t_living_room WHERE external_id IN (?)`;
  return (await db.query<RoomRow>(sql, [externalRoomIds.map(bytesOf)])).map((row) => liveRoom(row) as LiveRoom);
}

/**
 * Gives a live room that has none the platform's id; returns whether it has that id now. Throws a duplicate-key error
 * where another live room has it.
 */
export async function setExternalId(tx: Transaction, roomId: number, externalRoomId: string): Promise<boolean> {
  const sql = "UPDATE t_living_room SET external_id = ? WHERE id = ? AND (external_id IS NULL OR external_id = ?)";
  const bytes = bytesOf(externalRoomId);
  return (await tx.run(sql, [bytes, roomId, bytes])).affectedRows === 1;
}

/** The live room that the platform calls so, locked until the transaction ends. */
export async function lockExternalRoom(tx: Transaction, externalRoomId: string): Promise<LiveRoom | null> {
  const sql = `SELECT ${columns} FROM t_living_room WHERE external_id = ? FOR UPDATE`;
  const [row] = await tx.query<RoomRow>(sql, [bytesOf(externalRoomId)]);
  return liveRoom(row);
}

/** The live room, locked until the transaction ends. */
export async function lockRoom(tx: Transaction, roomId: number): Promise<LiveRoom | null> {
  const [row] = await tx.query<RoomRow>(`SELECT ${columns} FROM t_living_room WHERE id = ? FOR UPDATE`, [roomId]);
  return liveRoom(row);
}

export interface Guest {
  readonly roomId: number;
  readonly guestId: string;
  readonly battleId: string;
}

/** Returns whether this guest of this battle is linked now; not where another one was, or where it was unlinked. */
export async function setGuest(tx: Transaction, { roomId, guestId, battleId }: Guest): Promise<boolean> {
  const sql = `UPDATE t_living_room SET guest_id = ?, battle_id = ?
    WHERE id = ? AND last_battle_id < CAST(? AS UNSIGNED)
      AND (guest_id IS NULL OR (guest_id = ? AND battle_id = ?))`;
  return (await tx.run(sql, [guestId, battleId, roomId, battleId, guestId, battleId])).affectedRows === 1;
}

/** Where that battle's guest is linked. Notes also where she is not that the battle is over: a late link finds it. */
export async function clearGuest(db: Queryable, { roomId, battleId }: Omit<Guest, "guestId">): Promise<void> {
  // The assignments are made from left to right.
  const sql = `UPDATE t_living_room SET last_battle_id = GREATEST(last_battle_id, CAST(? AS UNSIGNED)),
      guest_id = IF(battle_id = ?, NULL, guest_id), battle_id = IF(battle_id = ?, NULL, battle_id)
    WHERE id = ?`;
  await db.run(sql, [battleId, battleId, battleId, roomId]);
}

/** Ends a live room, which is among the records from then on; `by`: who of the staff closed it, and why. */
export async function moveToRecords(tx: Transaction, roomId: number, by?: ClosedBy): Promise<void> {
  const kept = "id, anchor_id, type, room_name, covert_img, watch_num, good_num, start_time, external_id";
  await tx.run(
    `INSERT INTO t_living_room_record (${kept}, status, end_time, update_time, closed_by, close_reason)
     SELECT ${kept}, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), ?, ? FROM t_living_room WHERE id = ?`,
    [by?.operator ?? null, by?.reason ?? null, roomId],
  );
  await tx.run("DELETE FROM t_living_room WHERE id = ?", [roomId]);
}

interface WatchNumber {
  roomId: number;
  watchNum: number;
}

/**
 * Writes how many watch each room, `limits.room.watchNumbersPerStatement` rooms in one statement; rooms that are not
 * live are skipped. Every node locks rows in the order of their ids, so two of these calls never deadlock.
 */
export async function setWatchNumbers(db: Database, rooms: readonly WatchNumber[]): Promise<void> {
  const size = limits.room.watchNumbersPerStatement;
  const ordered = rooms.toSorted((a, b) => a.roomId - b.roomId);
  for (let at = 0; at < ordered.length; at += size)
    await db.transaction((tx) => writeWatchNumbers(tx, ordered.slice(at, at + size)));
}

async function writeWatchNumbers(tx: Transaction, rooms: readonly WatchNumber[]): Promise<void> {
  const newNumber = `CASE id ${"WHEN ? THEN ? ".repeat(rooms.length)}ELSE watch_num END`;
  const numbers = rooms.flatMap(({ roomId, watchNum }) => [roomId, watchNum]);
  await tx.run(
    `UPDATE t_living_room SET watch_num = ${newNumber}, update_time = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND watch_num <> ${newNumber}`,
    [...numbers, rooms.map(({ roomId }) => roomId), ...numbers],
  );
}

const checkedColumns = "id, anchor_id, watch_num, anchor_seen, away_since IS NOT NULL AS away";

interface CheckedRow {
  id: string | number;
  anchor_id: string | number;
  watch_num: number;
  anchor_seen: number;
  away: number;
}

function checkedRoom({ id, anchor_id, watch_num, anchor_seen, away }: CheckedRow): CheckedRoom {
  const anchor = Number(anchor_seen) === 0 ? "awaited" : Number(away) === 1 ? "absent" : "present";
  return { roomId: toSafeInteger(id), anchorId: String(anchor_id), watchNum: watch_num, anchor };
}

/** Live rooms with ids above `roomId`, in the order of their ids. */
export async function roomsAfter(db: Queryable, roomId: number, limit: number): Promise<CheckedRoom[]> {
  const sql = `SELECT ${checkedColumns} FROM t_living_room WHERE id > ? ORDER BY id LIMIT ?`;
  return (await db.query<CheckedRow>(sql, [roomId, limit])).map(checkedRoom);
}

const deserted = "anchor_seen = 1 AND away_since <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND";

/** Rooms whose anchor has been away for `awayMs`, by the database's clock, longest first. */
export async function desertedRooms(db: Queryable, awayMs: number, limit: number): Promise<CheckedRoom[]> {
  const sql = `SELECT ${checkedColumns} FROM t_living_room WHERE ${deserted} ORDER BY away_since LIMIT ?`;
  return (await db.query<CheckedRow>(sql, [awayMs * 1_000, limit])).map(checkedRoom);
}

/** The room, locked until the transaction ends; `null` unless its anchor has been away for `awayMs`. */
export async function lockDesertedRoom(tx: Transaction, roomId: number, awayMs: number): Promise<LiveRoom | null> {
  const sql = `SELECT ${columns} FROM t_living_room WHERE id = ? AND ${deserted} FOR UPDATE`;
  const [row] = await tx.query<RoomRow>(sql, [roomId, awayMs * 1_000]);
  return liveRoom(row);
}

/** The anchor becomes present, where the room is hers. */
export async function markAnchorEntered(db: Queryable, roomId: number, anchorId: string): Promise<void> {
  await db.run(
    `UPDATE t_living_room SET anchor_seen = 1, away_since = NULL
     WHERE id = ? AND anchor_id = ? AND (anchor_seen = 0 OR away_since IS NOT NULL)`,
    [roomId, anchorId],
  );
}

/** An awaited anchor has been in the room, where it is hers; an absence that is known stays. */
export async function markAnchorSeen(db: Queryable, roomId: number, anchorId: string): Promise<void> {
  const seen = "UPDATE t_living_room SET anchor_seen = 1 WHERE id = ? AND anchor_id = ? AND anchor_seen = 0";
  await db.run(seen, [roomId, anchorId]);
}

/** The anchors of these rooms become present. */
export async function markAnchorsHere(tx: Transaction, roomIds: readonly number[]): Promise<void> {
  if (roomIds.length === 0) return;
  await tx.run(
    `UPDATE t_living_room SET anchor_seen = 1, away_since = NULL
     WHERE id IN (?) AND (anchor_seen = 0 OR away_since IS NOT NULL)`,
    [roomIds],
  );
}

/** The present anchors of these rooms become absent, by the database's clock. */
export async function markAnchorsGone(tx: Transaction, roomIds: readonly number[]): Promise<void> {
  if (roomIds.length === 0) return;
  await tx.run(
    `UPDATE t_living_room SET away_since = UTC_TIMESTAMP(3)
     WHERE id IN (?) AND anchor_seen = 1 AND away_since IS NULL`,
    [roomIds],
  );
}

/** Makes up to `limit` absent anchors present again, the longest absent first; returns how many. */
export async function clearAway(tx: Transaction, limit: number): Promise<number> {
  const sql = "UPDATE t_living_room SET away_since = NULL WHERE away_since IS NOT NULL ORDER BY away_since LIMIT ?";
  return (await tx.run(sql, [limit])).affectedRows;
}

/** Writes watch numbers where the stored one is still the one that was read: a number that changed since is newer. */
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

/** Removes what an anchor called her closed rooms, how they looked, and what staff wrote about closing them. */
export async function eraseRoomNames(db: Queryable, anchorId: string): Promise<void> {
  await db.run(
    `UPDATE t_living_room_record SET room_name = '', covert_img = '', close_reason = NULL WHERE anchor_id = ?`,
    [anchorId],
  );
}
