import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { FeedPage, FeedPlace } from "../row-feed.ts";
import type { Restriction, RestrictionFact, RestrictionKind } from "./restrictions.contract.ts";

/** The SQL of mutes and bans. */

/** `until_time` of a restriction for ever. */
const forEver = new Date("9999-12-31T00:00:00.000Z");
const kindNumbers = { mute: 1, ban: 2 } as const;

const kindOf = (number: unknown): RestrictionKind => (Number(number) === kindNumbers.ban ? "ban" : "mute");
const roomOf = (room: unknown): number | null => Number(room) || null;
const untilOf = (time: Date): number | null => (time.getTime() === forEver.getTime() ? null : time.getTime());
const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export interface NewRestriction {
  readonly userId: string;
  readonly kind: RestrictionKind;
  /** `null`: everywhere. */
  readonly roomId: number | null;
  /** ms since 1970; `null`: for ever. */
  readonly until: number | null;
  readonly reason: string;
  readonly by: string;
  /** At most one restriction has it; `null`: none. */
  readonly writeId: string | null;
}

/** The database's time, ms since 1970. */
export async function databaseNow(db: Queryable): Promise<number> {
  const [row] = await db.query<{ now: Date }>("SELECT UTC_TIMESTAMP(3) AS now");
  return (row as { now: Date }).now.getTime();
}

/** Returns its id. Fails with a duplicate key where another one has its `writeId`. */
export async function insertRestriction(
  tx: Transaction,
  { userId, kind, roomId, until, reason, by, writeId }: NewRestriction,
): Promise<string> {
  const { insertId } = await tx.run(
    `INSERT INTO t_restriction (user_id, kind, room_id, until_time, reason, placed_by, write_id, create_time)
     VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [userId, kindNumbers[kind], roomId ?? 0, until === null ? forEver : new Date(until), reason, by, writeId],
  );
  return String(insertId);
}

/** Fails with a duplicate key where it is lifted already. */
export async function insertLift(
  tx: Transaction,
  { restrictionId, reason, by }: { restrictionId: string; reason: string; by: string },
): Promise<void> {
  await tx.run(
    "INSERT INTO t_restriction_lift (restriction_id, reason, lifted_by, create_time) VALUES (?, ?, ?, UTC_TIMESTAMP(3))",
    [restrictionId, reason, by],
  );
}

/** Has the nodes read the restriction again. */
export async function insertChange(tx: Transaction, restrictionId: string): Promise<void> {
  await tx.run("INSERT INTO t_restriction_change (restriction_id, create_time) VALUES (?, UTC_TIMESTAMP(3))", [
    restrictionId,
  ]);
}

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly kind: number;
  readonly room_id: string;
  readonly until_time: Date;
  readonly reason: string;
  readonly placed_by: string;
  readonly create_time: Date;
  readonly lifted_time: Date | null;
  readonly lifted_by: string | null;
  readonly lift_reason: string | null;
}

const shown = (row: Row): Restriction => ({
  restrictionId: String(row.id),
  userId: String(row.user_id),
  kind: kindOf(row.kind),
  roomId: roomOf(row.room_id),
  until: isoOf(untilOf(row.until_time)),
  reason: row.reason,
  by: row.placed_by,
  createTime: row.create_time.toISOString(),
  liftedTime: row.lifted_time?.toISOString() ?? null,
  liftedBy: row.lifted_by,
  liftReason: row.lift_reason,
});

const columns = `r.id, r.user_id, r.kind, r.room_id, r.until_time, r.reason, r.placed_by, r.create_time,
  l.create_time AS lifted_time, l.lifted_by, l.reason AS lift_reason`;
const withLifts = "FROM t_restriction r LEFT JOIN t_restriction_lift l ON l.restriction_id = r.id";
const inForce = "r.until_time > UTC_TIMESTAMP(3) AND l.restriction_id IS NULL";

/** A restriction with its lifting, in force or not. */
export async function restrictionById(db: Queryable, restrictionId: string): Promise<Restriction | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} ${withLifts} WHERE r.id = ?`, [restrictionId]);
  return row && shown(row);
}

export async function restrictionOfWrite(db: Queryable, writeId: string): Promise<Restriction | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} ${withLifts} WHERE r.write_id = ?`, [writeId]);
  return row && shown(row);
}

/** Newest first, below the cursor. */
export async function pageOfRestrictions(
  db: Queryable,
  by: {
    userId?: string | undefined;
    roomId?: number | undefined;
    active?: number | undefined;
    cursor?: string | undefined;
    limit: number;
  },
): Promise<{ list: Restriction[]; nextCursor: string | null }> {
  const conditions: [sql: string, ...values: unknown[]][] = [
    ...(by.userId === undefined ? [] : [["r.user_id = ?", by.userId] as [string, unknown]]),
    ...(by.roomId === undefined ? [] : [["r.room_id = ?", by.roomId] as [string, unknown]]),
    ...(by.cursor === undefined ? [] : [["r.id < ?", by.cursor] as [string, unknown]]),
    ...(by.active === undefined ? [] : [[by.active === 1 ? inForce : `NOT (${inForce})`] as [string]]),
  ];
  const where = conditions.map(([sql]) => `(${sql})`).join(" AND ") || "TRUE";
  const rows = await db.query<Row>(`SELECT ${columns} ${withLifts} WHERE ${where} ORDER BY r.id DESC LIMIT ?`, [
    ...conditions.flatMap(([, ...values]) => values),
    by.limit + 1,
  ]);
  const list = rows.slice(0, by.limit).map(shown);
  return { list, nextCursor: rows.length > by.limit ? (list.at(-1)?.restrictionId ?? null) : null };
}

/** The restrictions of users that are in force, everywhere and, with a room, in it. */
export async function inForceOf(
  db: Queryable,
  userIds: readonly string[],
  roomId?: number,
): Promise<Pick<Restriction, "restrictionId" | "userId" | "kind" | "roomId" | "by">[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} ${withLifts} WHERE r.user_id IN (?) AND r.room_id IN (?) AND ${inForce}`,
    [userIds, roomId === undefined ? [0] : [0, roomId]],
  );
  return rows.map(shown);
}

/** How many mutes of a room that are in force were not placed by staff: their `placed_by` is a user id. */
export async function mutesInForceIn(db: Queryable, roomId: number): Promise<number> {
  const [row] = await db.query<{ mutes: string }>(
    `SELECT COUNT(*) AS mutes ${withLifts} WHERE r.room_id = ? AND r.placed_by REGEXP '^[0-9]+$' AND ${inForce}`,
    [roomId],
  );
  return Number(row?.mutes ?? 0);
}

interface FeedRow extends Pick<Row, "user_id" | "kind" | "room_id" | "until_time"> {
  readonly now: Date;
  /** `null` in the one row of an empty answer. */
  readonly id: string | null;
  readonly change_id: string;
  readonly change_time: Date;
  readonly lifted: number;
}

const factOf = (row: FeedRow): RestrictionFact => ({
  restrictionId: String(row.id),
  userId: String(row.user_id),
  kind: kindOf(row.kind),
  roomId: roomOf(row.room_id),
  until: untilOf(row.until_time),
  lifted: Number(row.lifted) === 1,
});

/** See `user.restrictionsSince`; `now` is the database's time at the beginning of the statement, ms since 1970. */
export async function restrictionsFrom(db: Queryable, place: FeedPlace): Promise<FeedPage<RestrictionFact>> {
  const rows = await (place.since === 0 ? pageInForce(db, place.afterId) : pageOfChanges(db, place));
  const found = rows.filter(({ id }) => id !== null);
  const last = found.length === limits.user.feedRowsPerPage ? found.at(-1) : undefined;
  const after = (row: FeedRow): FeedPlace =>
    place.since === 0
      ? { since: 0, afterId: `${row.until_time.getTime()}:${row.id}` }
      : { since: row.change_time.getTime(), afterId: String(row.change_id) };
  return { now: (rows[0] as FeedRow).now.getTime(), list: found.map(factOf), next: last ? after(last) : null };
}

/** By the end of the restrictions and by their ids: the index has those in force side by side. */
function pageInForce(db: Queryable, afterId: string): Promise<FeedRow[]> {
  const [untilMs, id = "0"] = afterId === "0" ? ["0"] : afterId.split(":");
  const from = new Date(Number(untilMs));
  return db.query<FeedRow>(
    `SELECT UTC_TIMESTAMP(3) AS now, found.* FROM (SELECT 1 AS one) AS always LEFT JOIN (
       SELECT r.id, r.user_id, r.kind, r.room_id, r.until_time, 0 AS lifted ${withLifts}
       WHERE ${inForce} AND ((r.until_time = ? AND r.id > ?) OR r.until_time > ?)
       ORDER BY r.until_time, r.id LIMIT ?
     ) AS found ON TRUE ORDER BY found.until_time, found.id`,
    [from, id, from, limits.user.feedRowsPerPage],
  );
}

function pageOfChanges(db: Queryable, { since, afterId }: FeedPlace): Promise<FeedRow[]> {
  const from = new Date(since);
  return db.query<FeedRow>(
    `SELECT UTC_TIMESTAMP(3) AS now, found.* FROM (SELECT 1 AS one) AS always LEFT JOIN (
       SELECT c.id AS change_id, c.create_time AS change_time, r.id, r.user_id, r.kind, r.room_id, r.until_time,
         l.restriction_id IS NOT NULL AS lifted
       FROM t_restriction_change c JOIN t_restriction r ON r.id = c.restriction_id
       LEFT JOIN t_restriction_lift l ON l.restriction_id = r.id
       WHERE (c.create_time = ? AND c.id > ?) OR c.create_time > ? ORDER BY c.create_time, c.id LIMIT ?
     ) AS found ON TRUE ORDER BY found.change_time, found.change_id`,
    [from, afterId, from, limits.user.feedRowsPerPage],
  );
}

/** Empties what staff and anchors wrote about a user. The restrictions stay, with their ids and times. */
export async function eraseReasonsOf(tx: Transaction, userId: string): Promise<void> {
  await tx.run("UPDATE t_restriction SET reason = '' WHERE user_id = ?", [userId]);
  await tx.run(
    `UPDATE t_restriction_lift SET reason = ''
     WHERE restriction_id IN (SELECT id FROM t_restriction WHERE user_id = ?)`,
    [userId],
  );
}
