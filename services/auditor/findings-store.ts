import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import type { Finding } from "./auditor.contract.ts";
import { type Difference, type DifferenceKind, keyOf, kindNames, measureOf, neverAccepted } from "./differences.ts";

/** SQL of the findings and passes, in the auditor's own database. */

/**
 * Opens findings, or notes that open ones were seen again. Returns those that count and did not before: new ones, those
 * that are open again, and accepted ones that have changed.
 */
export async function keepFindings(own: Queryable, differences: readonly Difference[]): Promise<Difference[]> {
  const opened: Difference[] = [];
  for (const one of differences) {
    const [subject, detail] = [one.subject.slice(0, 200), one.detail.slice(0, limits.books.detailChars)];
    const measure = measureOf(one).slice(0, limits.books.detailChars);
    const [before] = await own.query<{ accepted: number; changed: number }>(
      `SELECT accepted_time IS NOT NULL AS accepted, measure <> ? AS changed FROM t_book_finding
       WHERE kind = ? AND subject = ? AND gone_time IS NULL`,
      [measure, one.kind, subject],
    );
    // Where it is accepted meanwhile, it is accepted as the row has it.
    await own.run(
      `INSERT INTO t_book_finding (kind, subject, detail, measure, found_time, seen_time)
       VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
       ON DUPLICATE KEY UPDATE found_time = IF(gone_time IS NULL, found_time, VALUES(found_time)),
         accepted_time = IF(gone_time IS NULL AND measure = VALUES(measure), accepted_time, NULL),
         detail = VALUES(detail), measure = VALUES(measure), seen_time = VALUES(seen_time), gone_time = NULL`,
      [one.kind, subject, detail, measure],
    );
    const countsAgain = Number(before?.accepted) === 1 && Number(before?.changed) === 1;
    if (!before || countsAgain) opened.push(one);
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

/** How many differences of a kind are there: those that count, and those that an operator has accepted. */
export interface FindingCounts {
  readonly open: number;
  readonly accepted: number;
}

/** Each kind has its numbers, 0 where there are none. */
export async function countFindings(own: Queryable): Promise<Map<DifferenceKind, FindingCounts>> {
  const rows = await own.query<{ kind: DifferenceKind; found: string; accepted: string }>(
    `SELECT kind, COUNT(*) AS found, COUNT(accepted_time) AS accepted FROM t_book_finding
     WHERE gone_time IS NULL GROUP BY kind`,
  );
  const counts = new Map(
    rows.map((row) => {
      const accepted = toSafeInteger(row.accepted);
      return [row.kind, { open: toSafeInteger(row.found) - accepted, accepted }];
    }),
  );
  return new Map(kindNames.map((kind) => [kind, counts.get(kind) ?? { open: 0, accepted: 0 }]));
}

/** How many nobody has accepted, of all kinds. */
export async function countOpenFindings(own: Queryable): Promise<number> {
  return [...(await countFindings(own)).values()].reduce((sum, { open }) => sum + open, 0);
}

interface FindingRow extends Record<"id" | "kind" | "subject" | "detail", string> {
  found_time: Date;
  seen_time: Date;
  accepted_time: Date | null;
  accepted_by: string | null;
  accepted_reason: string | null;
}

const findingColumns = "id, kind, subject, detail, found_time, seen_time, accepted_time, accepted_by, accepted_reason";

function toFinding(row: FindingRow): Finding {
  const { kind, subject, detail, accepted_time: time } = row;
  return {
    id: toSafeInteger(row.id),
    ...{ kind, subject, detail, foundTime: row.found_time.toISOString(), seenTime: row.seen_time.toISOString() },
    accepted: time && { time: time.toISOString(), by: row.accepted_by ?? "", reason: row.accepted_reason ?? "" },
  };
}

/** The next findings that are there now, by id. */
export async function findingsAfter(
  own: Queryable,
  { accepted, cursor, limit }: { accepted?: number | undefined; cursor?: string | undefined; limit: number },
): Promise<Finding[]> {
  const state = accepted === undefined ? "" : `AND accepted_time IS ${accepted === 1 ? "NOT" : ""} NULL`;
  const rows = await own.query<FindingRow>(
    `SELECT ${findingColumns} FROM t_book_finding WHERE gone_time IS NULL AND id > ? ${state} ORDER BY id LIMIT ?`,
    [cursor ?? "0", limit],
  );
  return rows.map(toFinding);
}

/**
 * Accepts a finding with this detail, once: a repeat changes nothing. Returns it as it is then, and whether it was
 * accepted now; `undefined` where there is none, or it is gone.
 */
export async function acceptStored(
  own: Queryable,
  { id, detail, reason, operator }: { id: number; detail: string; reason: string; operator: string },
): Promise<{ finding: Finding | undefined; isNew: boolean }> {
  const { affectedRows } = await own.run(
    `UPDATE t_book_finding SET accepted_time = UTC_TIMESTAMP(3), accepted_by = ?, accepted_reason = ?
     WHERE id = ? AND detail = ? AND kind NOT IN (?) AND gone_time IS NULL AND accepted_time IS NULL`,
    [operator, reason, id, detail, [...neverAccepted]],
  );
  const [row] = await own.query<FindingRow>(
    `SELECT ${findingColumns} FROM t_book_finding WHERE id = ? AND gone_time IS NULL`,
    [id],
  );
  return { finding: row && toFinding(row), isNew: affectedRows > 0 };
}

/** The keys of the open findings, at most `limits.books.findingsPerPass`. */
export async function openKeys(own: Queryable): Promise<Set<string>> {
  const rows = await own.query<{ kind: DifferenceKind; subject: string }>(
    "SELECT kind, subject FROM t_book_finding WHERE gone_time IS NULL ORDER BY id LIMIT ?",
    [limits.books.findingsPerPass],
  );
  return new Set(rows.map(({ kind, subject }) => keyOf({ kind, subject, detail: "" })));
}
