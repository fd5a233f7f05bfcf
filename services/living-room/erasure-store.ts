import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";

/** SQL of the erasure of a user. Rooms stay, with their ids and times. */

type Table = "t_living_room" | "t_living_room_record";

/** Rooms that may have a history: live ones, or those that were closed lately; a page by id. */
export async function roomsWithHistory(db: Queryable, table: Table, after: number): Promise<number[]> {
  const { roomsKeptMs, roomsPerCall } = limits.erasure;
  const lately = table === "t_living_room" ? "" : "AND end_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND";
  const rows = await db.query<{ id: string }>(`SELECT id FROM ${table} WHERE id > ? ${lately} ORDER BY id LIMIT ?`, [
    ...[after, ...(lately === "" ? [] : [roomsKeptMs * 1_000]), roomsPerCall],
  ]);
  return rows.map(({ id }) => toSafeInteger(id));
}

/** The rooms of an anchor that were closed lately. */
export async function latelyClosedBy(db: Queryable, anchorId: string): Promise<number[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM t_living_room_record WHERE anchor_id = ? AND end_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [anchorId, limits.erasure.roomsKeptMs * 1_000],
  );
  return rows.map(({ id }) => toSafeInteger(id));
}
