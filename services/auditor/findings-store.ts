import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { type Difference, type DifferenceKind, keyOf, kindNames } from "./differences.ts";

/** SQL of the findings and passes, in the auditor's own database. */

/** Opens findings, or notes that open ones were seen again. Returns those that are new, or open again. */
export async function keepFindings(own: Queryable, differences: readonly Difference[]): Promise<Difference[]> {
  const opened: Difference[] = [];
  for (const one of differences) {
    const [subject, detail] = [one.subject.slice(0, 200), one.detail.slice(0, limits.books.detailChars)];
    const { affectedRows } = await own.run(
      `UPDATE t_book_finding SET seen_time = UTC_TIMESTAMP(3), detail = ?
       WHERE kind = ? AND subject = ? AND gone_time IS NULL`,
      [detail, one.kind, subject],
    );
    if (affectedRows > 0) continue;
    await own.run(
      `INSERT INTO t_book_finding (kind, subject, detail, found_time, seen_time)
       VALUES (?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
       ON DUPLICATE KEY UPDATE detail = VALUES(detail), found_time = VALUES(found_time), seen_time = VALUES(seen_time),
         gone_time = NULL`,
      [one.kind, subject, detail],
    );
    opened.push(one);
  }
  return opened;
}

/** Closes the findings that were not seen since a full pass began, by this database's clock. Returns what is closed. */
export async function closeFindings(own: Queryable, notSeenSince: Date): Promise<Difference[]> {
  const rows = await own.query<{ id: string; kind: DifferenceKind; subject: string; detail: string }>(
    "SELECT id, kind, subject, detail FROM t_book_finding WHERE gone_time IS NULL AND seen_time < ? LIMIT ?",
    [notSeenSince, limits.books.findingsPerPass],
  );
  if (rows.length > 0)
    await own.run("UPDATE t_book_finding SET gone_time = UTC_TIMESTAMP(3) WHERE id IN (?)", [rows.map(({ id }) => id)]);
  return rows.map(({ kind, subject, detail }) => ({ kind, subject, detail }));
}

/** The open findings by kind: each kind has its number, 0 where there are none. */
export async function openFindings(own: Queryable): Promise<Map<DifferenceKind, number>> {
  const rows = await own.query<{ kind: DifferenceKind; found: string }>(
    "SELECT kind, COUNT(*) AS found FROM t_book_finding WHERE gone_time IS NULL GROUP BY kind",
  );
  const found = new Map(rows.map((row) => [row.kind, toSafeInteger(row.found)]));
  return new Map(kindNames.map((kind) => [kind, found.get(kind) ?? 0]));
}

/** The keys of the open findings, at most `limits.books.findingsPerPass`. */
export async function openKeys(own: Queryable): Promise<Set<string>> {
  const rows = await own.query<{ kind: DifferenceKind; subject: string }>(
    "SELECT kind, subject FROM t_book_finding WHERE gone_time IS NULL ORDER BY id LIMIT ?",
    [limits.books.findingsPerPass],
  );
  return new Set(rows.map(({ kind, subject }) => keyOf({ kind, subject, detail: "" })));
}

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
