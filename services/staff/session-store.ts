import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { StaffRole } from "../staff-roles.ts";

/** The SQL of sessions. */

export interface KeptSession {
  readonly id: string;
  readonly name: string;
  /** As the person has it now. */
  readonly role: StaffRole;
  readonly expires: Date;
  /** See token-macs.ts. */
  readonly mac: Buffer;
}

interface SessionRow {
  readonly id: string;
  readonly name: string;
  readonly role: StaffRole;
  readonly expires_time: Date;
  readonly mac: Buffer;
}

/** The row with the hash of a token, of an active person, that has not ended. Whether it is genuine its MAC says. */
export async function findSession(db: Queryable, hash: Buffer): Promise<KeptSession | undefined> {
  const [row] = await db.query<SessionRow>(
    `SELECT s.id, s.name, p.role, s.expires_time, s.mac FROM t_staff_session s JOIN t_staff_person p ON p.name = s.name
     WHERE s.token_hash = ? AND s.expires_time > UTC_TIMESTAMP(3) AND p.state = 'active'`,
    [hash],
  );
  if (!row) return undefined;
  const { id, name, role, expires_time: expires, mac } = row;
  return { id: String(id), name, role, expires, mac };
}

/** Opens a session. The person's oldest ones beyond the bound end. */
export async function insertSession(
  tx: Transaction,
  session: { name: string; address: string; hash: Buffer; mac: Buffer; expires: Date },
): Promise<void> {
  const { name, address, hash, mac, expires } = session;
  const beyond = await tx.query<{ id: string }>(
    `SELECT id FROM t_staff_session WHERE name = ? AND expires_time > UTC_TIMESTAMP(3)
     ORDER BY id DESC LIMIT 1000 OFFSET ${limits.staff.sessionsPerPerson - 1}`,
    [name],
  );
  for (const { id } of beyond) await deleteSession(tx, name, id);
  await tx.run(
    `INSERT INTO t_staff_session (token_hash, mac, name, address, create_time, expires_time)
     VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3), ?)`,
    [hash, mac, name, address, expires],
  );
}

/** Returns whether it was there. */
export async function deleteSession(db: Queryable, name: string, id: string): Promise<boolean> {
  const { affectedRows } = await db.run("DELETE FROM t_staff_session WHERE name = ? AND id = ?", [name, id]);
  return affectedRows > 0;
}

/** By the hash of the token; a repeat changes nothing. */
export async function deleteSessionOfToken(db: Queryable, hash: Buffer): Promise<void> {
  await db.run("DELETE FROM t_staff_session WHERE token_hash = ?", [hash]);
}

/** All of a person, but `kept` where it is given. Returns how many had not expired. */
export async function deleteSessionsOf(tx: Transaction, name: string, kept?: string): Promise<number> {
  const [row] = await tx.query<{ ended: string }>(
    "SELECT COUNT(*) AS ended FROM t_staff_session WHERE name = ? AND expires_time > UTC_TIMESTAMP(3) AND id <> ?",
    [name, kept ?? 0],
  );
  await tx.run("DELETE FROM t_staff_session WHERE name = ? AND id <> ?", [name, kept ?? 0]);
  return Number(row?.ended ?? 0);
}

export interface ListedSession {
  readonly sessionId: string;
  readonly address: string;
  readonly createTime: string;
  readonly expiresTime: string;
}

/** Those that have not ended, the latest first: at most `limits.staff.sessionsPerPerson`. */
export async function sessionsOf(db: Queryable, name: string): Promise<ListedSession[]> {
  const rows = await db.query<{ id: string; address: string; create_time: Date; expires_time: Date }>(
    `SELECT id, address, create_time, expires_time FROM t_staff_session
     WHERE name = ? AND expires_time > UTC_TIMESTAMP(3) ORDER BY id DESC`,
    [name],
  );
  return rows.map(({ id, address, create_time, expires_time }) => ({
    ...{ sessionId: String(id), address },
    ...{ createTime: create_time.toISOString(), expiresTime: expires_time.toISOString() },
  }));
}

/** Removes expired ones, at most `limits.staff.purgeRows`. Returns whether there may be more. */
export async function purgeSessions(db: Queryable): Promise<boolean> {
  const { purgeRows } = limits.staff;
  const { affectedRows } = await db.run("DELETE FROM t_staff_session WHERE expires_time < UTC_TIMESTAMP(3) LIMIT ?", [
    purgeRows,
  ]);
  return affectedRows === purgeRows;
}
