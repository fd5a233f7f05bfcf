import type { Queryable } from "../../mixins/mysql/database.ts";

/** The SQL of login codes. */

/** Resolves to the row's id. The code itself is in no database. */
export async function insertSms(
  db: Queryable,
  { phone, hash, address }: { phone: string; hash: string; address: string },
): Promise<number> {
  const { insertId } = await db.run(
    `INSERT INTO t_sms (code, phone, address, send_time, update_time)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [hash, phone, address],
  );
  return insertId;
}

/** How many codes of a day (Beijing) an address requested for a phone and nobody used. */
export async function unusedCodes(db: Queryable, day: string, phone: string, address: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT COUNT(*) AS n FROM t_sms
     WHERE phone = ? AND address = ? AND used_time IS NULL AND send_time >= CAST(? AS DATETIME) - INTERVAL 8 HOUR`,
    [phone, address, day],
  );
  return Number(row?.n);
}

/** Whether an address logged in with a phone within so many days. An address that is not known never did. */
export async function loggedInFrom(db: Queryable, phone: string, address: string, days: number): Promise<boolean> {
  if (!isKnown(address)) return false;
  const rows = await db.query(
    `SELECT 1 AS one FROM t_sms
     WHERE phone = ? AND used_by = ? AND send_time > UTC_TIMESTAMP(3) - INTERVAL ? DAY LIMIT 1`,
    [phone, address, days],
  );
  return rows.length > 0;
}

/** `unknown` is what a gateway says that does not see the client. */
const isKnown = (address: string) => address !== "" && address !== "unknown";

export async function deleteSms(db: Queryable, id: number): Promise<void> {
  await db.run("DELETE FROM t_sms WHERE id = ?", [id]);
}

/**
 * Counts a try of the newest code of a phone, and returns the code's id and hash. `undefined` where none may be tried:
 * it was used, is as old as `ttlMs` by the database's clock, or was tried `most` times. Of parallel tries each counts.
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

/** Marks a code as used from an address; `true` for one of several parallel calls. */
export async function useSms(db: Queryable, id: number, address: string): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_sms SET used_time = UTC_TIMESTAMP(3), used_by = ?, update_time = UTC_TIMESTAMP(3)
     WHERE id = ? AND used_time IS NULL`,
    [address, id],
  );
  return affectedRows === 1;
}

/** Deletes the codes of so many days ago, so many rows at the most. */
export async function purgeSms(
  db: Queryable,
  days: number,
  rows: number,
): Promise<{ erased: number; more: boolean; oldest: Date | null }> {
  const { affectedRows: erased } = await db.run(
    "DELETE FROM t_sms WHERE send_time < UTC_TIMESTAMP(3) - INTERVAL ? DAY ORDER BY send_time LIMIT ?",
    [days, rows],
  );
  const [first] = await db.query<{ send_time: Date }>("SELECT send_time FROM t_sms ORDER BY send_time LIMIT 1");
  return { erased, more: erased === rows, oldest: first?.send_time ?? null };
}

/** Removes the codes of a phone, with the addresses that requested and used them. */
export async function deleteCodesOf(tx: Queryable, phone: string): Promise<void> {
  await tx.run("DELETE FROM t_sms WHERE phone = ?", [phone]);
}
