import type { Queryable } from "../../mixins/mysql/database.ts";

/** The SQL of login codes. */

/** Resolves to the row's id. The code itself is in no database. */
export async function insertSms(db: Queryable, phone: string, codeHash: string): Promise<number> {
  const { insertId } = await db.run(
    "INSERT INTO t_sms (code, phone, send_time, update_time) VALUES (?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
    [codeHash, phone],
  );
  return insertId;
}

export async function deleteSms(db: Queryable, id: number): Promise<void> {
  await db.run("DELETE FROM t_sms WHERE id = ?", [id]);
}

/**
 * Counts a try of the newest code of a phone, and returns the code's id and hash. `undefined` where none may be tried: it
 * was used, is as old as `ttlMs` by the database's clock, or was tried `most` times. Of parallel tries each counts.
 */
export async function countTry(
  db: Queryable,
  phone: string,
  { ttlMs, most }: { ttlMs: number; most: number },
): Promise<{ id: number; hash: string } | undefined> {
  const [row] = await db.query<{ id: number; code: string }>(
    "SELECT id, code FROM t_sms WHERE phone = ? ORDER BY send_time DESC, id DESC LIMIT 1",
    [phone],
  );
  if (!row) return undefined;
  const { affectedRows } = await db.run(
    `UPDATE t_sms SET tries = tries + 1, update_time = UTC_TIMESTAMP(3)
     WHERE id = ? AND used_time IS NULL AND tries < ? AND send_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [row.id, most, ttlMs * 1_000],
  );
  return affectedRows === 1 ? { id: row.id, hash: row.code } : undefined;
}

/** Marks a code as used; `true` for one of several parallel calls. */
export async function useSms(db: Queryable, id: number): Promise<boolean> {
  const { affectedRows } = await db.run(
    "UPDATE t_sms SET used_time = UTC_TIMESTAMP(3), update_time = UTC_TIMESTAMP(3) WHERE id = ? AND used_time IS NULL",
    [id],
  );
  return affectedRows === 1;
}
