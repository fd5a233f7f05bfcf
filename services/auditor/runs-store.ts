import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";

/** SQL of the rounds and full passes of the comparison, in the auditor's own database. */

/** The last complete pass: how long ago it ended, how long it took and what it compared. */
export interface LastPass {
  readonly ageMs: number;
  readonly tookMs: number;
  readonly rows: number;
  /** From its start until now. */
  readonly sinceBeganMs: number;
}

export async function lastPass(own: Queryable): Promise<LastPass | undefined> {
  const [row] = await own.query<Record<"age" | "took" | "began" | "rows_compared", string>>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, ended_time, UTC_TIMESTAMP(3)) AS age,
       TIMESTAMPDIFF(MICROSECOND, began_time, ended_time) AS took,
       TIMESTAMPDIFF(MICROSECOND, began_time, UTC_TIMESTAMP(3)) AS began, rows_compared
     FROM t_book_pass ORDER BY id DESC LIMIT 1`,
  );
  if (!row) return undefined;
  const [ageMs, tookMs, sinceBeganMs] = [row.age, row.took, row.began].map((micros) => Number(micros) / 1_000);
  return {
    ageMs: ageMs ?? 0,
    tookMs: tookMs ?? 0,
    sinceBeganMs: sinceBeganMs ?? 0,
    rows: toSafeInteger(row.rows_compared),
  };
}

/** Notes a complete pass, and deletes the oldest beyond `limits.books.passesKept`. */
export async function keepPass(own: Queryable, began: Date, rows: number, differences: number): Promise<void> {
  const { insertId } = await own.run(
    `INSERT INTO t_book_pass (began_time, ended_time, rows_compared, differences) VALUES (?, UTC_TIMESTAMP(3), ?, ?)`,
    [began, rows, differences],
  );
  await own.run("DELETE FROM t_book_pass WHERE id < ? LIMIT 100", [Math.max(0, insertId - limits.books.passesKept)]);
}

/** Notes that a round has ended in which every check came to its end. */
export async function keepRound(own: Queryable): Promise<void> {
  await own.run(
    `INSERT INTO t_book_round (id, ended_time) VALUES (1, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE ended_time = VALUES(ended_time)`,
  );
}

/** How long ago the last complete round ended. */
export async function roundAgeMs(own: Queryable): Promise<number | undefined> {
  const [row] = await own.query<{ age: string }>(
    "SELECT TIMESTAMPDIFF(MICROSECOND, ended_time, UTC_TIMESTAMP(3)) AS age FROM t_book_round WHERE id = 1",
  );
  return row && Number(row.age) / 1_000;
}
