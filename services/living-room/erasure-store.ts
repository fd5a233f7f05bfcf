import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";

/** SQL of the erasure of a user. Rooms stay, with their ids and times. */

/** Removes what an anchor called her closed rooms, how they looked, and what staff wrote about closing them. */
export async function eraseRoomNames(db: Queryable, anchorId: string): Promise<void> {
  const { eraseRows } = limits.erasure;
  for (let rows: number = eraseRows; rows === eraseRows; )
    rows = (
      await db.run(
        `UPDATE t_living_room_record SET room_name = '', covert_img = '', close_reason = NULL WHERE anchor_id = ?
           AND (room_name <> '' OR covert_img <> '' OR close_reason IS NOT NULL) LIMIT ?`,
        [anchorId, eraseRows],
      )
    ).affectedRows;
}

/** Removes the user from the moderators of others, and those of the user. */
export async function eraseModeration(db: Queryable, userId: string): Promise<void> {
  await db.run("DELETE FROM t_room_moderator WHERE anchor_id = ?", [userId]);
  await db.run("DELETE FROM t_room_moderator WHERE user_id = ?", [userId]);
}

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
