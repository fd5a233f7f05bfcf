import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { UserProfile } from "./user.contract.ts";

/** All SQL of the user service. */

export async function userIdByPhone(db: Queryable, phone: string): Promise<string | undefined> {
  const [row] = await db.query<{ user_id: string | number }>("SELECT user_id FROM t_user_phone WHERE phone = ?", [
    phone,
  ]);
  return row && String(row.user_id);
}

/** Fails with a duplicate key where the phone is registered or the id is taken. */
export async function insertUser(tx: Transaction, user: UserProfile, phone: string): Promise<void> {
  await tx.run(
    `INSERT INTO t_user_phone (user_id, phone, status, create_time, update_time)
     VALUES (?, ?, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [user.userId, phone],
  );
  await tx.run(
    `INSERT INTO t_user (user_id, nick_name, avatar, create_time, update_time)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [user.userId, user.nickName, user.avatar],
  );
}

export async function profileOf(db: Queryable, userId: string): Promise<UserProfile | undefined> {
  const [row] = await db.query<{ nick_name: string; avatar: string }>(
    "SELECT nick_name, avatar FROM t_user WHERE user_id = ?",
    [userId],
  );
  return row && { userId, nickName: row.nick_name, avatar: row.avatar };
}

/** Resolves to the row's id. */
export async function insertSms(db: Queryable, phone: string, code: string): Promise<number> {
  const { insertId } = await db.run(
    "INSERT INTO t_sms (code, phone, send_time, update_time) VALUES (?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
    [code, phone],
  );
  return insertId;
}

export async function deleteSms(db: Queryable, id: number): Promise<void> {
  await db.run("DELETE FROM t_sms WHERE id = ?", [id]);
}
