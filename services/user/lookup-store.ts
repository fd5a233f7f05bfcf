import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { reversed } from "./search.ts";

/** SQL by which staff look up users, each statement by an index and bounded. */

type Id = string | number;

/** A user with what identifies them. */
export interface KnownUser {
  readonly userId: string;
  readonly nickName: string;
  readonly avatar: string;
  readonly createTime: Date;
  readonly externalId: string | null;
  readonly phone: string | null;
  /** `null`: the person was not erased. */
  readonly erasedTime: Date | null;
}

/** Those of the users that exist, in no order. A user has one phone at the most. */
export async function knownUsers(db: Queryable, userIds: readonly string[]): Promise<KnownUser[]> {
  if (userIds.length === 0) return [];
  const rows = await db.query<{
    user_id: Id;
    nick_name: string;
    avatar: string;
    create_time: Date;
    external_id: Buffer | null;
    phone: string | null;
    erased_time: Date | null;
  }>(
    `SELECT u.user_id, u.nick_name, u.avatar, u.create_time, u.erased_time, e.external_id, p.phone
     FROM t_user u LEFT JOIN t_user_external e ON e.user_id = u.user_id
       LEFT JOIN t_user_phone p ON p.user_id = u.user_id
     WHERE u.user_id IN (?)`,
    [userIds],
  );
  return rows.map((row) => ({
    userId: String(row.user_id),
    nickName: row.nick_name,
    avatar: row.avatar,
    createTime: row.create_time,
    externalId: row.external_id?.toString("utf8") ?? null,
    phone: row.phone,
    erasedTime: row.erased_time,
  }));
}

/** The users whose phones end so, as many as are shown and one more. */
export async function userIdsByPhoneEnd(db: Queryable, end: string): Promise<string[]> {
  const rows = await db.query<{ user_id: Id }>(
    "SELECT user_id FROM t_user_phone WHERE phone_reversed LIKE ? ORDER BY phone_reversed LIMIT ?",
    [`${reversed(end)}%`, limits.lookup.usersFound + 1],
  );
  return rows.map(({ user_id }) => String(user_id));
}

/** The user's sessions that have not ended, newest first. */
export async function openSessions(
  db: Queryable,
  userId: string,
): Promise<{ sessionId: string; issuedMs: number; expiresTime: Date }[]> {
  const rows = await db.query<{ session_id: string; issued_ms: string; expires_time: Date }>(
    `SELECT session_id, issued_ms, expires_time FROM t_session
     WHERE user_id = ? AND expires_time > UTC_TIMESTAMP(3) ORDER BY issued_ms DESC LIMIT ?`,
    [userId, limits.user.tokensPerUser],
  );
  return rows.map((row) => ({
    sessionId: String(row.session_id),
    issuedMs: Number(row.issued_ms),
    expiresTime: row.expires_time,
  }));
}
