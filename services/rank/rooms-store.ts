import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";

/** SQL of the rooms that have a board. */

/** Notes gifts in rooms, by room with the time of the latest one, ms since 1970. @param rooms by ascending id */
export async function noteRooms(tx: Transaction, rooms: readonly (readonly [number, number])[]): Promise<void> {
  await tx.run(
    `INSERT INTO t_rank_room (room_id, seen_ms) VALUES ?
     ON DUPLICATE KEY UPDATE seen_ms = GREATEST(seen_ms, VALUES(seen_ms))`,
    [rooms],
  );
}

/** Rooms without a gift, and not seen live, since a time. */
export async function quietRooms(db: Queryable, beforeMs: number, rooms: number): Promise<number[]> {
  const rows = await db.query<{ room_id: string }>(
    "SELECT room_id FROM t_rank_room WHERE seen_ms < ? ORDER BY seen_ms LIMIT ?",
    [beforeMs, rooms],
  );
  return rows.map((row) => toSafeInteger(row.room_id));
}

export async function sawLive(db: Queryable, roomId: number, atMs: number): Promise<void> {
  await db.run("UPDATE t_rank_room SET seen_ms = ? WHERE room_id = ?", [atMs, roomId]);
}

/**
 * Locks a room until the transaction ends, so that gifts in it are counted before or afterwards; returns whether it is a
 * known one without a gift, and not seen live, since a time.
 */
export async function lockQuiet(tx: Transaction, roomId: number, beforeMs: number): Promise<boolean> {
  const [row] = await tx.query("SELECT 1 FROM t_rank_room WHERE room_id = ? AND seen_ms < ? FOR UPDATE", [
    roomId,
    beforeMs,
  ]);
  return row !== undefined;
}

export async function forgetRoom(tx: Transaction, roomId: number): Promise<void> {
  await tx.run("DELETE FROM t_rank_room WHERE room_id = ?", [roomId]);
}

/** The rooms that have a board, counted up to `most`. */
export async function countRooms(db: Queryable, most: number): Promise<number> {
  const [row] = await db.query<{ rooms: string }>(
    "SELECT COUNT(*) AS rooms FROM (SELECT 1 FROM t_rank_room LIMIT ?) some",
    [most],
  );
  return toSafeInteger(row?.rooms ?? 0);
}
