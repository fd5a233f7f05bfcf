import type { Queryable } from "../../mixins/mysql/database.ts";

/** SQL about battles that are over: who may not begin another yet, and which may be deleted. */

const within = (column: string) => `${column} > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`;

/** Whether an invitation of one anchor to another ended within the last `ms` without acceptance. */
export async function hasJustInvited(
  db: Queryable,
  { from, to, ms }: { from: string; to: string; ms: number },
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM t_battle b
     JOIN t_battle_side f ON f.battle_id = b.id AND f.side = 0 AND f.user_id = ?
     JOIN t_battle_side t ON t.battle_id = b.id AND t.side = 1 AND t.user_id = ?
     WHERE ${within("b.closed_time")} AND b.kind = 'rooms' AND b.starting_time IS NULL LIMIT 1`,
    [from, to, ms * 1_000],
  );
  return rows.length > 0;
}

/** Whether the anchor asked within the last `ms` for the end of a battle of this guest in her room. */
export async function wasSentAway(
  db: Queryable,
  { roomId, guestId, anchorId, ms }: { roomId: number; guestId: string; anchorId: string; ms: number },
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM t_battle_side s JOIN t_battle b ON b.id = s.battle_id
     WHERE s.room_id = ? AND s.user_id = ? AND s.side = 1 AND b.kind = 'guest' AND b.ended_by = ?
       AND ${within("b.end_asked_time")} LIMIT 1`,
    [roomId, guestId, anchorId, ms * 1_000],
  );
  return rows.length > 0;
}

/** Up to `limit` battles that ended `ms` ago without having started and need nothing more. */
export async function unstartedBattles(
  db: Queryable,
  { ms, limit }: { ms: number; limit: number },
): Promise<readonly string[]> {
  const found = await db.query<{ id: string }>(
    `SELECT id FROM t_battle
     WHERE closed_time <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND AND work = 0 ORDER BY closed_time LIMIT ?`,
    [ms * 1_000, limit],
  );
  return found.map(({ id }) => id);
}
