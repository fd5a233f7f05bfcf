import { fail } from "../../broker/failure.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { UserProfile } from "./user.contract.ts";

/** The SQL of users. */

export async function userIdByPhone(db: Queryable, phone: string): Promise<string | undefined> {
  const [row] = await db.query<{ user_id: string | number }>("SELECT user_id FROM t_user_phone WHERE phone = ?", [
    phone,
  ]);
  return row && String(row.user_id);
}

/** Fails with a duplicate key where the phone is registered. */
export async function insertPhone(tx: Transaction, userId: string, phone: string): Promise<void> {
  await tx.run(
    `INSERT INTO t_user_phone (user_id, phone, status, create_time, update_time)
     VALUES (?, ?, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [userId, phone],
  );
}

/** Fails with a duplicate key where the id is taken. */
export async function insertUser(tx: Transaction, user: UserProfile): Promise<void> {
  await tx.run(
    `INSERT INTO t_user (user_id, nick_name, avatar, create_time, update_time)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [user.userId, user.nickName, user.avatar],
  );
}

/** Names that are left out stay as they are. */
export async function updateNames(
  db: Queryable,
  userId: string,
  { nickName, avatar }: { nickName?: string | undefined; avatar?: string | undefined },
): Promise<void> {
  await db.run(
    `UPDATE t_user SET nick_name = COALESCE(?, nick_name), avatar = COALESCE(?, avatar), update_time = UTC_TIMESTAMP(3)
     WHERE user_id = ? AND erased_time IS NULL`,
    [nickName ?? null, avatar ?? null, userId],
  );
}

export async function profileOf(db: Queryable, userId: string): Promise<UserProfile | undefined> {
  const [row] = await db.query<{ nick_name: string; avatar: string }>(
    "SELECT nick_name, avatar FROM t_user WHERE user_id = ?",
    [userId],
  );
  return row && { userId, nickName: row.nick_name, avatar: row.avatar };
}

/** The profiles of the users among these. */
export async function profilesOf(db: Queryable, userIds: readonly string[]): Promise<UserProfile[]> {
  const rows = await db.query<{ user_id: string | number; nick_name: string; avatar: string }>(
    "SELECT user_id, nick_name, avatar FROM t_user WHERE user_id IN (?)",
    [userIds],
  );
  return rows.map((row) => ({ userId: String(row.user_id), nickName: row.nick_name, avatar: row.avatar }));
}

/**
 * The time of a new token or of a revocation of all: now by the database's clock, ms since 1970, and greater than the
 * user's last one. The user's row stays locked until the transaction ends. Fails: userUnknown, also of an erased user.
 */
export async function nextIssueTime(tx: Transaction, userId: string): Promise<number> {
  const { affectedRows } = await tx.run(
    `UPDATE t_user SET last_issued_ms = GREATEST(last_issued_ms + 1, ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000))
     WHERE user_id = ? AND erased_time IS NULL`,
    [userId],
  );
  if (affectedRows === 0) throw fail("userUnknown", { userId });
  const [row] = await tx.query<{ last_issued_ms: string }>("SELECT last_issued_ms FROM t_user WHERE user_id = ?", [
    userId,
  ]);
  return Number(row?.last_issued_ms);
}

/** Removes the names and the phone of an erased user, whose id stays and is never a login again. */
export async function eraseNames(tx: Transaction, userId: string, nickName: string): Promise<void> {
  await tx.run("DELETE FROM t_user_phone WHERE user_id = ?", [userId]);
  await tx.run(
    `UPDATE t_user SET nick_name = ?, avatar = '', update_time = UTC_TIMESTAMP(3),
       erased_time = COALESCE(erased_time, UTC_TIMESTAMP(3)) WHERE user_id = ?`,
    [nickName, userId],
  );
}
