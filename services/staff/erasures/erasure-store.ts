import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { proposalKinds } from "../proposals/instruction.ts";
import { proposalStates } from "../proposals/proposal-state.ts";
import { type ErasureState, erasureStates, stateOf, statesBefore } from "./erasure-state.ts";

/** SQL of erasures, and of what the staff service has about a user. */

export interface Erasure {
  readonly userId: string;
  readonly proposalId: string;
  readonly state: ErasureState;
  readonly giveUp: boolean;
  readonly done: readonly string[];
  readonly problem: string | null;
  readonly createTime: Date;
  readonly erasedTime: Date | null;
}

interface Row extends Record<"user_id" | "proposal_id" | "done", string> {
  readonly state: number;
  readonly give_up: number;
  readonly problem: string | null;
  readonly create_time: Date;
  readonly erased_time: Date | null;
}

const columns = "user_id, proposal_id, state, give_up, done, problem, create_time, erased_time";

const toErasure = (row: Row): Erasure => ({
  ...{ userId: String(row.user_id), proposalId: String(row.proposal_id), state: stateOf(Number(row.state)) },
  ...{ giveUp: Number(row.give_up) === 1, done: row.done === "" ? [] : row.done.split(","), problem: row.problem },
  ...{ createTime: row.create_time, erasedTime: row.erased_time },
});

export async function erasureOf(db: Queryable, userId: string): Promise<Erasure | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM t_staff_erasure WHERE user_id = ?`, [userId]);
  return row && toErasure(row);
}

/** A repeat, and another proposal about the user, change nothing. */
export async function insertErasure(
  db: Queryable,
  { userId, proposalId, giveUp }: Pick<Erasure, "userId" | "proposalId" | "giveUp">,
): Promise<void> {
  await db.run(
    `INSERT INTO t_staff_erasure (user_id, proposal_id, state, give_up, create_time) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE user_id = user_id`,
    [userId, proposalId, erasureStates.closing, giveUp ? 1 : 0],
  );
}

/** The wallet refused: nothing has changed. */
export async function removeClosing(db: Queryable, userId: string): Promise<void> {
  await db.run("DELETE FROM t_staff_erasure WHERE user_id = ? AND state = ?", [userId, erasureStates.closing]);
}

/** The account is closed: the services are asked from now on. */
export async function startErasing(db: Queryable, userId: string): Promise<void> {
  await db.run(
    "UPDATE t_staff_erasure SET state = ?, next_try_time = UTC_TIMESTAMP(3) WHERE user_id = ? AND state IN (?)",
    [erasureStates.erasing, userId, statesBefore("erasing")],
  );
}

/** Erasures whose next service is due, longest due first. */
export async function dueErasures(db: Queryable): Promise<Erasure[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM t_staff_erasure WHERE state = ? AND next_try_time <= UTC_TIMESTAMP(3)
     ORDER BY next_try_time LIMIT ?`,
    [erasureStates.erasing, limits.erasure.perRound],
  );
  return rows.map(toErasure);
}

/** A service has erased. */
export async function noteDone(db: Queryable, userId: string, done: readonly string[]): Promise<void> {
  await db.run(
    "UPDATE t_staff_erasure SET done = ?, problem = NULL, tries = 0 WHERE user_id = ? AND state = ? AND LENGTH(done) < ?",
    [done.join(","), userId, erasureStates.erasing, done.join(",").length],
  );
}

/** A service could not: it is asked again, later each time. */
export async function postpone(db: Queryable, userId: string, problem: string): Promise<void> {
  const { tryAgainMs, tryAgainMsMax } = limits.erasure;
  await db.run(
    `UPDATE t_staff_erasure SET problem = ?, tries = tries + 1, next_try_time =
       UTC_TIMESTAMP(3) + INTERVAL LEAST(? * POW(2, LEAST(tries, 20)), ?) MICROSECOND
     WHERE user_id = ? AND state = ?`,
    [problem.slice(0, 100), tryAgainMs * 1_000, tryAgainMsMax * 1_000, userId, erasureStates.erasing],
  );
}

/** Returns whether this call ended it. */
export async function endErasure(db: Queryable, userId: string): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_staff_erasure SET state = ?, problem = NULL, next_try_time = NULL, erased_time = UTC_TIMESTAMP(3)
     WHERE user_id = ? AND state IN (?)`,
    [erasureStates.erased, userId, statesBefore("erased")],
  );
  return affectedRows === 1;
}

/** Erasures that go on, counted up to `limits.metrics.countedRows`, and the age of the oldest in ms. */
export async function openErasures(db: Queryable): Promise<{ open: number; oldestMs: number }> {
  const [row] = await db.query<{ open_ones: string; oldest: string | null }>(
    `SELECT COUNT(*) AS open_ones, TIMESTAMPDIFF(MICROSECOND, MIN(create_time), UTC_TIMESTAMP(3)) AS oldest
     FROM (SELECT create_time FROM t_staff_erasure WHERE state IN (?) LIMIT ?) AS counted`,
    [[erasureStates.closing, erasureStates.erasing], limits.metrics.countedRows],
  );
  return { open: Number(row?.open_ones ?? 0), oldestMs: Number(row?.oldest ?? 0) / 1_000 };
}

/** Whether a move of staff on the user's account waits for a decision, or is being carried out. */
export async function hasOpenMove(db: Queryable, userId: string): Promise<boolean> {
  const { open, approved } = proposalStates;
  const rows = await db.query(
    `SELECT 1 AS one FROM t_staff_proposal p JOIN t_staff_proposal_state s ON s.proposal_id = p.id
     WHERE p.user_id = ? AND p.kind <> ? AND (s.state = ? OR (s.state = ? AND s.expires_time > UTC_TIMESTAMP(3))) LIMIT 1`,
    [userId, proposalKinds.indexOf("erase"), approved, open],
  );
  return rows.length > 0;
}
