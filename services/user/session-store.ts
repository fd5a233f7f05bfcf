import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { FeedPage, FeedPlace } from "../row-feed.ts";
import type { TokenClaims } from "../tokens.ts";
import type { Revocation } from "./user.contract.ts";

/** The SQL of sessions and of revoked tokens. */

export async function insertSession(
  tx: Transaction,
  { userId, sessionId, issuedAt, expiresAt }: TokenClaims,
): Promise<void> {
  await tx.run("INSERT INTO t_session (user_id, session_id, issued_ms, expires_time) VALUES (?, ?, ?, ?)", [
    ...[userId, sessionId, issuedAt],
    new Date(expiresAt),
  ]);
}

/** The user's sessions but the `kept` newest ones. Their rows are few, since each login ends those beyond the bound. */
export async function sessionsBeyond(tx: Transaction, userId: string, kept: number): Promise<TokenClaims[]> {
  const rows = await tx.query<{ session_id: string; issued_ms: string; expires_time: Date }>(
    `SELECT session_id, issued_ms, expires_time FROM t_session
     WHERE user_id = ? AND expires_time > UTC_TIMESTAMP(3) ORDER BY issued_ms DESC LIMIT 1000 OFFSET ${Number(kept)}`,
    [userId],
  );
  return rows.map((row) => ({
    userId,
    sessionId: Number(row.session_id),
    issuedAt: Number(row.issued_ms),
    expiresAt: row.expires_time.getTime(),
  }));
}

export async function deleteSession(tx: Transaction, userId: string, sessionId: number): Promise<void> {
  await tx.run("DELETE FROM t_session WHERE user_id = ? AND session_id = ?", [userId, sessionId]);
}

export async function deleteSessionsOf(tx: Transaction, userId: string): Promise<void> {
  await tx.run("DELETE FROM t_session WHERE user_id = ?", [userId]);
}

/**
 * Writes the row. If it exists, it gets the time of this statement. A revocation never becomes smaller: of two
 * revocations of all tokens the one with the later time of issue stays, in whatever order they are written.
 */
export async function writeRevocation(
  tx: Transaction,
  { userId, sessionId, issuedUntil, expiresAt }: Revocation,
): Promise<void> {
  await tx.run(
    `INSERT INTO t_revocation (user_id, session_id, issued_until_ms, expires_time, create_time)
     VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE
       issued_until_ms = GREATEST(issued_until_ms, VALUES(issued_until_ms)),
       expires_time = GREATEST(expires_time, VALUES(expires_time)),
       create_time = VALUES(create_time)`,
    [userId, sessionId, issuedUntil, new Date(expiresAt)],
  );
}

interface RevocationRow {
  readonly now: Date;
  /** `null` in the one row of an empty answer. */
  readonly id: string | null;
  readonly user_id: string;
  readonly session_id: string;
  readonly issued_until_ms: string;
  readonly expires_time: Date;
  readonly create_time: Date;
}

/**
 * Rows that were written at the place or later, by time and id, and the place of the next page; `now` is the database's
 * time at the beginning of the statement, ms since 1970.
 */
export async function revocationsFrom(db: Queryable, { since, afterId }: FeedPlace): Promise<FeedPage<Revocation>> {
  const from = new Date(since);
  const rows = await db.query<RevocationRow>(
    `SELECT UTC_TIMESTAMP(3) AS now, found.* FROM (SELECT 1 AS one) AS always LEFT JOIN (
       SELECT id, user_id, session_id, issued_until_ms, expires_time, create_time FROM t_revocation
       WHERE (create_time = ? AND id > ?) OR create_time > ? ORDER BY create_time, id LIMIT ?
     ) AS found ON TRUE ORDER BY found.create_time, found.id`,
    [from, afterId, from, limits.user.feedRowsPerPage],
  );
  const found = rows.filter(({ id }) => id !== null);
  const list = found.map((row) => ({
    userId: String(row.user_id),
    sessionId: Number(row.session_id),
    issuedUntil: Number(row.issued_until_ms),
    expiresAt: row.expires_time.getTime(),
  }));
  const last = found.length === limits.user.feedRowsPerPage ? found.at(-1) : undefined;
  const next = last ? { since: last.create_time.getTime(), afterId: String(last.id) } : null;
  return { now: (rows[0] as RevocationRow).now.getTime(), list, next };
}

/** Deletes expired rows, at most `limits.user.purgeRows` of each table. Returns whether there are more. */
export async function purgeExpired(db: Queryable): Promise<boolean> {
  const { purgeRows, revocationKeptMs } = limits.user;
  const sessions = await db.run("DELETE FROM t_session WHERE expires_time < UTC_TIMESTAMP(3) LIMIT ?", [purgeRows]);
  const revocations = await db.run(
    "DELETE FROM t_revocation WHERE expires_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND LIMIT ?",
    [revocationKeptMs * 1_000, purgeRows],
  );
  return sessions.affectedRows === purgeRows || revocations.affectedRows === purgeRows;
}
