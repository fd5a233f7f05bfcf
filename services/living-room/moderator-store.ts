import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";

/** The SQL of the moderators of anchors. */

interface Row {
  readonly user_id: string | number;
}

/** Rows of t_room_moderator_lock. */
const moderatorLocks = 16;

const idsOf = (rows: readonly Row[]) => rows.map(({ user_id }) => String(user_id));

/** In the order in which they were named. */
export async function moderatorsOf(db: Queryable, anchorId: string): Promise<string[]> {
  return idsOf(
    await db.query<Row>("SELECT user_id FROM t_room_moderator WHERE anchor_id = ? ORDER BY create_time, user_id", [
      anchorId,
    ]),
  );
}

/** The same; until the transaction ends nobody else names one. */
export async function lockModeratorsOf(tx: Transaction, anchorId: string): Promise<string[]> {
  const slot = Number(BigInt(anchorId) % BigInt(moderatorLocks));
  await tx.query("SELECT slot FROM t_room_moderator_lock WHERE slot = ? FOR UPDATE", [slot]);
  return moderatorsOf(tx, anchorId);
}

/** Fails with a duplicate key where the user is one already. */
export async function insertModerator(tx: Transaction, anchorId: string, userId: string): Promise<void> {
  await tx.run("INSERT INTO t_room_moderator (anchor_id, user_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
    anchorId,
    userId,
  ]);
}

/** A repeat changes nothing. */
export async function deleteModerator(db: Queryable, anchorId: string, userId: string): Promise<void> {
  await db.run("DELETE FROM t_room_moderator WHERE anchor_id = ? AND user_id = ?", [anchorId, userId]);
}

/** Removes the user from the moderators of others, and those of the user. */
export async function eraseModeration(db: Queryable, userId: string): Promise<void> {
  await db.run("DELETE FROM t_room_moderator WHERE anchor_id = ?", [userId]);
  await db.run("DELETE FROM t_room_moderator WHERE user_id = ?", [userId]);
}
