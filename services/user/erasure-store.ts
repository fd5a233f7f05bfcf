import { fail } from "../../broker/failure.ts";
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
