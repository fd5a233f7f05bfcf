import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { BattleKind, BattleState } from "./battle.contract.ts";
import { type Battle, isFinal, type Side } from "./battle-state.ts";
import { insertSides } from "./side-store.ts";
import { freeSlots, takeSlots } from "./slot-store.ts";

/** SQL of battles. */

interface Row {
  id: string;
  kind: BattleKind;
  state: BattleState;
  duration_s: number;
  version: number;
  shown_version: number;
  invited_age: string;
  starting_age: string | null;
  end_asked: number;
  ended_age: string | null;
  start_time: Date | null;
  planned_end: Date | null;
  end_time: Date | null;
  winner: string | null;
  linked: number;
}

interface SideRow {
  battle_id: string;
  side: number;
  room_id: string;
  user_id: string;
  seen: number;
  gone: number;
  deserted: number;
  away_age: string | null;
}

const age = (column: string) => `TIMESTAMPDIFF(MICROSECOND, ${column}, UTC_TIMESTAMP(3))`;
const columns = `id, kind, state, duration_s, version, shown_version, start_time, planned_end, end_time, winner, linked,
  ${age("invited_time")} AS invited_age, ${age("starting_time")} AS starting_age,
  end_asked_time IS NOT NULL AS end_asked, ${age("ended_time")} AS ended_age`;

const msOf = (micros: string | null) => (micros === null ? null : Number(micros) / 1_000);

function toSide(row: SideRow): Side {
  return {
    roomId: toSafeInteger(row.room_id),
    userId: row.user_id,
    seen: row.seen === 1,
    gone: row.gone === 1,
    deserted: row.deserted === 1,
    awayMs: msOf(row.away_age),
  };
}

function toBattle(row: Row, sides: readonly Side[]): Battle {
  const [first, second] = sides;
  if (!first || !second) throw new Error(`battle ${row.id} lacks a side`);
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    durationMs: row.duration_s * 1_000,
    version: row.version,
    shownVersion: row.shown_version,
    invitedMs: Number(row.invited_age) / 1_000,
    startingMs: msOf(row.starting_age),
    endAsked: Number(row.end_asked) === 1,
    endedMs: msOf(row.ended_age),
    start: row.start_time?.getTime() ?? null,
    plannedEnd: row.planned_end?.getTime() ?? null,
    end: row.end_time?.getTime() ?? null,
    winner: row.winner,
    linked: row.linked === 1,
    sides: [first, second],
  };
}

async function withSides(db: Queryable, rows: readonly Row[]): Promise<Battle[]> {
  if (rows.length === 0) return [];
  const sides = await db.query<SideRow>(
    `SELECT battle_id, side, room_id, user_id, seen, gone, deserted, ${age("away_since")} AS away_age
     FROM t_battle_side WHERE battle_id IN (?) ORDER BY battle_id, side`,
    [rows.map(({ id }) => id)],
  );
  const byBattle = Map.groupBy(sides, ({ battle_id }) => battle_id);
  return rows.map((row) => toBattle(row, (byBattle.get(row.id) ?? []).map(toSide)));
}

export async function battleById(db: Queryable, id: string): Promise<Battle | undefined> {
  return (await withSides(db, await db.query<Row>(`SELECT ${columns} FROM t_battle WHERE id = ?`, [id])))[0];
}

/** Locks the battle's row: until the transaction ends nobody else changes its state. */
export async function lockBattle(tx: Transaction, id: string): Promise<Battle | undefined> {
  return (await withSides(tx, await tx.query<Row>(`SELECT ${columns} FROM t_battle WHERE id = ? FOR UPDATE`, [id])))[0];
}

/** The battles for which the scheduler has work, by id. */
export async function battlesWithWork(db: Queryable, after: string, limit: number): Promise<Battle[]> {
  const where = "WHERE work = 1 AND id > ? ORDER BY id LIMIT ?";
  return withSides(db, await db.query<Row>(`SELECT ${columns} FROM t_battle ${where}`, [after, limit]));
}

/** The battle in which a room is or was last. */
export async function newestOfRoom(db: Queryable, roomId: number): Promise<Battle | undefined> {
  const [row] = await db.query<{ id: string | null }>(
    "SELECT MAX(battle_id) AS id FROM t_battle_side WHERE room_id = ?",
    [roomId],
  );
  return row?.id ? battleById(db, row.id) : undefined;
}

/** The battles of a user that have started, newest first, before the id `before`. */
export async function startedOf(
  db: Queryable,
  { userId, before, limit }: { userId: string; before: string | undefined; limit: number },
): Promise<Battle[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM t_battle JOIN t_battle_side s ON s.battle_id = id
     WHERE s.user_id = ? AND start_time IS NOT NULL ${before === undefined ? "" : "AND s.battle_id < ?"}
     ORDER BY s.battle_id DESC LIMIT ?`,
    [userId, ...(before === undefined ? [] : [before]), limit],
  );
  return withSides(db, rows);
}

/** Battles with a result that ended at `since` or later, by id. */
export async function endedAfter(
  db: Queryable,
  { since, after, limit }: { since: Date; after: string; limit: number },
): Promise<Battle[]> {
  const where = "WHERE state = 'ended' AND end_time >= ? AND id > ? ORDER BY id LIMIT ?";
  return withSides(db, await db.query<Row>(`SELECT ${columns} FROM t_battle ${where}`, [since, after, limit]));
}

export async function battlesById(db: Queryable, ids: readonly string[]): Promise<Battle[]> {
  if (ids.length === 0) return [];
  return withSides(db, await db.query<Row>(`SELECT ${columns} FROM t_battle WHERE id IN (?)`, [ids]));
}

/**
 * Writes an invited battle and takes the slots of its sides, in one order everywhere. Rejects with a duplicate key where
 * a side is in an open battle.
 */
export async function insertBattle(
  tx: Transaction,
  battle: {
    kind: BattleKind;
    durationS: number;
    sides: readonly { roomId: number; userId: string }[];
    /** Whether the invitation is shown to the rooms. */
    shown: boolean;
  },
): Promise<string> {
  const { kind, durationS, sides, shown } = battle;
  const { insertId } = await tx.run(
    `INSERT INTO t_battle (kind, state, duration_s, version, invited_time, linked)
     VALUES (?, 'invited', ?, ?, UTC_TIMESTAMP(3), ?)`,
    [kind, durationS, shown ? 1 : 0, kind === "guest" ? 1 : 0],
  );
  const id = String(insertId);
  await takeSlots(tx, id, sides);
  await insertSides(tx, id, sides);
  return id;
}

/**
 * Moves a locked battle to another state. A final state frees the slots of its sides, and is dated where the battle never
 * started. The rooms are shown the change later.
 */
export async function moveBattle(
  tx: Transaction,
  id: string,
  to: BattleState,
  times: { start?: number; plannedEnd?: number; end?: number; winner?: string | null; ended?: true } = {},
): Promise<void> {
  const { start, plannedEnd, end, winner, ended } = times;
  const dated = Object.entries({ start_time: start, planned_end: plannedEnd, end_time: end }).filter(
    (entry): entry is [string, number] => entry[1] !== undefined,
  );
  await tx.run(
    `UPDATE t_battle SET state = ?, version = version + 1, work = 1 ${dated.map(([name]) => `, ${name} = ?`).join("")}
       ${winner === undefined ? "" : ", winner = ?"} ${ended ? ", ended_time = UTC_TIMESTAMP(3)" : ""}
       ${isFinal(to) && to !== "ended" ? ", closed_time = UTC_TIMESTAMP(3)" : ""} WHERE id = ?`,
    [to, ...dated.map(([, time]) => new Date(time)), ...(winner === undefined ? [] : [winner]), id],
  );
  if (isFinal(to)) await freeSlots(tx, id);
}

/** Marks an invitation as accepted. */
export async function markStarting(tx: Transaction, id: string): Promise<void> {
  await tx.run("UPDATE t_battle SET starting_time = UTC_TIMESTAMP(3) WHERE id = ?", [id]);
}

/** Notes that a battle is to end early; `by`: who asked for it, `null` where nobody did. */
export async function markEndAsked(tx: Transaction, id: string, by: string | null): Promise<void> {
  await tx.run("UPDATE t_battle SET end_asked_time = UTC_TIMESTAMP(3), ended_by = ? WHERE id = ?", [by, id]);
}

export async function markUnlinked(db: Queryable, id: string): Promise<void> {
  await db.run("UPDATE t_battle SET linked = 0 WHERE id = ?", [id]);
}

export async function markShown(db: Queryable, id: string, version: number): Promise<void> {
  await db.run("UPDATE t_battle SET shown_version = ? WHERE id = ? AND shown_version < ?", [version, id, version]);
}

/** Nothing is left to do for a battle, unless it has changed since. */
export async function markDone(db: Queryable, id: string, version: number): Promise<void> {
  const done = "linked = 0 AND shown_version = version AND version = ?";
  await db.run(`UPDATE t_battle SET work = 0 WHERE id = ? AND ${done}`, [id, version]);
}

/** The number of battles by state, of those with work, and the age of the oldest that is settling, ms by its end. */
export async function openCounts(
  db: Queryable,
): Promise<{ state: BattleState; battles: number; oldestEnd: Date | null }[]> {
  const rows = await db.query<{ state: BattleState; battles: string; oldest_end: Date | null }>(
    "SELECT state, COUNT(*) AS battles, MIN(end_time) AS oldest_end FROM t_battle WHERE work = 1 GROUP BY state",
  );
  return rows.map(({ state, battles, oldest_end }) => ({ state, battles: Number(battles), oldestEnd: oldest_end }));
}

/** Deletes the rows of these battles. */
export async function deleteBattles(tx: Transaction, battleIds: readonly string[]): Promise<void> {
  await tx.run("DELETE FROM t_battle WHERE id IN (?)", [battleIds]);
}
