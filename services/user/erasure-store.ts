import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";

/** The SQL of the erasure of a user. */

/** What identifies a person. */
export interface Person {
  readonly phones: readonly string[];
  readonly externalId: string | null;
  readonly erased: boolean;
  /** The database's time, ms since 1970. */
  readonly now: number;
}

/**
 * The person of a user, whose row stays locked until the transaction ends: a login or new names come before or after.
 * Fails: userUnknown.
 */
export async function lockPerson(tx: Transaction, userId: string): Promise<Person> {
  const [user] = await tx.query<{ erased_time: Date | null; now_time: Date }>(
    "SELECT erased_time, UTC_TIMESTAMP(3) AS now_time FROM t_user WHERE user_id = ? FOR UPDATE",
    [userId],
  );
  if (!user) throw fail("userUnknown", { userId });
  const phones = await tx.query<{ phone: string }>("SELECT phone FROM t_user_phone WHERE user_id = ?", [userId]);
  const [external] = await tx.query<{ external_id: Buffer }>(
    "SELECT external_id FROM t_user_external WHERE user_id = ?",
    [userId],
  );
  return {
    phones: phones.map(({ phone }) => phone),
    externalId: external?.external_id.toString("utf8") ?? null,
    erased: user.erased_time !== null,
    now: user.now_time.getTime(),
  };
}

/** Removes names, phone and id at the platform; the user's id stays, and is never a login again. */
export async function eraseNames(tx: Transaction, userId: string, nickName: string): Promise<void> {
  await tx.run("DELETE FROM t_user_phone WHERE user_id = ?", [userId]);
  await tx.run("DELETE FROM t_user_external WHERE user_id = ?", [userId]);
  await tx.run(
    `UPDATE t_user SET nick_name = ?, avatar = '', update_time = UTC_TIMESTAMP(3),
       erased_time = COALESCE(erased_time, UTC_TIMESTAMP(3)) WHERE user_id = ?`,
    [nickName, userId],
  );
}

/** Removes what was kept of the login codes of a phone: the number, its codes and the addresses that used them. */
export async function eraseLoginCodes(tx: Transaction, phone: string): Promise<void> {
  await tx.run("DELETE FROM t_sms WHERE phone = ?", [phone]);
  // Each day that may have a row: the key begins with it.
  const days = Array.from({ length: limits.user.smsDaysKept + 4 }, (_, at) => `CURRENT_DATE - INTERVAL ${at - 2} DAY`);
  await tx.run(`DELETE FROM t_sms_day WHERE day IN (${days.join(", ")}) AND phone = ?`, [phone]);
}

/** Empties what staff and anchors wrote about the user. The restrictions stay in force, and their ids and times. */
export async function eraseReasons(tx: Transaction, userId: string): Promise<void> {
  await tx.run("UPDATE t_restriction SET reason = '' WHERE user_id = ? AND reason <> ''", [userId]);
  await tx.run(
    `UPDATE t_restriction_lift SET reason = ''
     WHERE restriction_id IN (SELECT id FROM t_restriction WHERE user_id = ?) AND reason <> ''`,
    [userId],
  );
}

/** Removes published messages about the user, whose payloads have the id at the platform and reasons. */
export async function eraseSentMessages(tx: Transaction, userId: string): Promise<void> {
  await tx.run("DELETE FROM t_outbox WHERE order_key = ? AND sent_time IS NOT NULL", [userId]);
}

/** Remembers that JWTs of an id at the platform that were issued until then make no user. */
export async function insertErasedName(
  tx: Transaction,
  { userId, name, issuedUntil, expiresAt }: { userId: string; name: string; issuedUntil: number; expiresAt: number },
): Promise<void> {
  await tx.run(
    `INSERT INTO t_user_erased (user_id, name, issued_until_ms, expires_time) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE user_id = user_id`,
    [userId, name, issuedUntil, new Date(expiresAt)],
  );
}

/** Whether a user of one of these names was erased at the time of a JWT or after it. */
export async function wasErasedSince(db: Queryable, names: readonly string[], issuedAt: number): Promise<boolean> {
  const rows = await db.query("SELECT 1 AS one FROM t_user_erased WHERE name IN (?) AND issued_until_ms >= ? LIMIT 1", [
    names,
    issuedAt,
  ]);
  return rows.length > 0;
}

/** Deletes hashes of which every JWT has expired, so many rows at the most. Returns whether there may be more. */
export async function purgeErasedNames(db: Queryable, rows: number): Promise<boolean> {
  const { affectedRows } = await db.run("DELETE FROM t_user_erased WHERE expires_time < UTC_TIMESTAMP(3) LIMIT ?", [
    rows,
  ]);
  return affectedRows === rows;
}
