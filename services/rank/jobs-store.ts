import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { Job, JobName, JobState } from "./job-state.ts";

/** SQL of the rebuild and the verification that were asked for last. */

interface Row {
  state: JobState;
  since_time: Date | null;
  cursor_id: string | null;
  until_id: string | null;
  gifts: string;
  counted: string;
  again_since: Date | null;
  begun_time: Date;
  ended_time: Date | null;
  result: string | null;
}

const columns = "state, since_time, cursor_id, until_id, gifts, counted, again_since, begun_time, ended_time, result";

const toJob = (row: Row): Job => ({
  state: row.state,
  since: row.since_time,
  cursor: row.cursor_id === null ? null : String(row.cursor_id),
  until: row.until_id === null ? null : String(row.until_id),
  gifts: toSafeInteger(row.gifts),
  counted: toSafeInteger(row.counted),
  againSince: row.again_since,
  begun: row.begun_time,
  ended: row.ended_time,
  result: row.result,
});

export async function findJob(db: Queryable, name: JobName): Promise<Job | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM t_rank_job WHERE name = ?`, [name]);
  return row && toJob(row);
}

/** The job, locked until the transaction ends. */
export async function lockJob(tx: Transaction, name: JobName): Promise<Job | undefined> {
  const [row] = await tx.query<Row>(`SELECT ${columns} FROM t_rank_job WHERE name = ? FOR UPDATE`, [name]);
  return row && toJob(row);
}

/**
 * Puts a job at its beginning. What was to follow one that runs is forgotten: begin it while one runs only where it reads
 * that too.
 */
export async function beginJob(tx: Transaction, name: JobName, since: Date | null): Promise<void> {
  await tx.run(
    `INSERT INTO t_rank_job (name, state, since_time, begun_time) VALUES (?, 'running', ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE state = 'running', since_time = VALUES(since_time), cursor_id = NULL, until_id = NULL,
       gifts = 0, counted = 0, again_since = NULL, begun_time = VALUES(begun_time), ended_time = NULL, result = NULL`,
    [name, since],
  );
}

/** A running job is to be followed by one from `since` on; from the earliest time that was asked for. */
export async function askAgain(tx: Transaction, name: JobName, since: Date): Promise<void> {
  await tx.run("UPDATE t_rank_job SET again_since = LEAST(COALESCE(again_since, ?), ?) WHERE name = ?", [
    since,
    since,
    name,
  ]);
}

interface Progress {
  /** That of the job when its page was read: a job that was begun anew meanwhile does not move. */
  readonly begun: Date;
  readonly cursor: string | null;
  readonly until: string;
  readonly gifts: number;
  readonly counted: number;
}

/** Notes that a page was handled. */
export async function moveJob(
  db: Queryable,
  name: JobName,
  { begun, cursor, until, gifts, counted }: Progress,
): Promise<void> {
  await db.run(
    `UPDATE t_rank_job SET cursor_id = ?, until_id = ?, gifts = gifts + ?, counted = counted + ?, result = NULL
     WHERE name = ? AND state = 'running' AND begun_time = ?`,
    [cursor, until, gifts, counted, name, begun],
  );
}

/** Ends a running job; returns whether it was one that began then. */
export async function endJob(
  tx: Transaction,
  name: JobName,
  begun: Date,
  state: Exclude<JobState, "running">,
  result: string | null,
): Promise<boolean> {
  const { affectedRows } = await tx.run(
    `UPDATE t_rank_job SET state = ?, result = ?, ended_time = UTC_TIMESTAMP(3)
     WHERE name = ? AND state = 'running' AND begun_time = ?`,
    [state, result, name, begun],
  );
  return affectedRows === 1;
}

/** Notes why a job that goes on does not get on. */
export async function noteTrouble(db: Queryable, name: JobName, begun: Date, why: string): Promise<void> {
  await db.run("UPDATE t_rank_job SET result = ? WHERE name = ? AND state = 'running' AND begun_time = ?", [
    why.slice(0, limits.log.causeChars),
    name,
    begun,
  ]);
}
