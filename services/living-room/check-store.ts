import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";

/** SQL of the last check of all rooms. */

/** The last complete check of all rooms: the epoch of the presence that it asked, and how long ago it was. */
export async function lastCheck(db: Queryable): Promise<{ epoch: string; agoMs: number }> {
  const [row] = await db.query<{ epoch: string; ago: string }>(
    `SELECT epoch, TIMESTAMPDIFF(MICROSECOND, checked_time, UTC_TIMESTAMP(3)) AS ago
     FROM t_living_room_check WHERE id = 1`,
  );
  return { epoch: row?.epoch ?? "", agoMs: Number(row?.ago ?? 0) / 1_000 };
}

export async function noteCheck(tx: Transaction, epoch: string): Promise<void> {
  await tx.run("UPDATE t_living_room_check SET epoch = ?, checked_time = UTC_TIMESTAMP(3) WHERE id = 1", [epoch]);
}
