import { limits } from "../../../config/limits.ts";
import { type Database, type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { archivedTrades } from "../../archived-tables.ts";
import type { Difference } from "../differences.ts";
import { addKeptShares } from "../seen-segments-store.ts";
import { pageEndOf, placesOf, rowsAfter, tradesBook } from "./book-rows-store.ts";
import type { Check } from "./check.ts";
import { type IdSpan, lastId } from "./day-parts.ts";
import { keptSegments } from "./kept-segments.ts";
import type { StoredSegment } from "./segments-store.ts";
import { userPageEnd } from "./windows-store.ts";

/** Anchors' incomes against their postings, and against their shares of the gifts in the ledger. Amounts are points. */

interface TotalsRow extends Record<"user_id" | "earned_points" | "held_points" | "paid_out_points", string> {
  sums: string | null;
}

function totalsProblem(row: TotalsRow): Difference[] {
  const totals = [row.earned_points, row.held_points, row.paid_out_points].join(",");
  const postings = row.sums ?? "0,0,0";
  if (totals === postings) return [];
  const detail = `earned, held, paid out: ${totals} in her row, ${postings} by her postings`;
  const rows = postings.split(",");
  const by = totals.split(",").map((total, at) => BigInt(total) - BigInt(rows[at] ?? 0));
  return [{ kind: "incomeDiffers", subject: `anchor ${row.user_id}`, detail, measure: `by ${by}` }];
}

/** The sums of every anchor against her postings. */
export function totalsCheck(db: Queryable): Check {
  return {
    ...{ name: "incomes", rounds: false, passes: true },
    async range(since) {
      return { from: "0", ...(since && { since }) };
    },
    async page({ from, since }) {
      const end = await userPageEnd(db, "t_anchor_income", from);
      const rows = await db.query<TotalsRow>(
        `SELECT i.user_id, i.earned_points, i.held_points, i.paid_out_points,
           (SELECT CONCAT(SUM(IF(p.kind = 0, p.points, 0)), ',', SUM(IF(p.kind IN (1, 2) AND p.status = 1, -p.points, 0)), ',',
              SUM(IF(p.kind = 3 AND p.status = 1, -p.points, 0)))
            FROM t_income_posting p WHERE p.anchor_id = i.user_id) AS sums
         FROM t_anchor_income i WHERE i.user_id > ? AND i.user_id <= ? ${since ? "AND i.update_time >= ?" : ""}`,
        [from, end ?? String(lastId), ...(since ? [since] : [])],
      );
      return {
        rows: rows.length,
        differences: rows.flatMap(totalsProblem).slice(0, limits.books.findingsPerPage),
        next: end,
      };
    },
  };
}

interface Part {
  readonly part: number;
  readonly parts: number;
}

const everything: IdSpan = { from: 0n, to: lastId };

/** Adds the shares of valid gifts with ids of the span to the sums of the anchors whose id is `part` of `parts`. */
export async function addShares(
  db: Queryable,
  sums: Map<string, bigint>,
  { part, parts }: Part,
  span: IdSpan = everything,
): Promise<number> {
  const book = tradesBook();
  const places = await placesOf(db, book);
  let rows = 0;
  for (let from = span.from; ; ) {
    const end = await pageEndOf(db, book, places, { from, to: span.to }, limits.books.sharesRows);
    const columns = "counterparty_id, counterparty_income_points, type, status";
    const shares = await db.query<{ anchor: string; points: string; gifts: string }>(
      `SELECT counterparty_id AS anchor, CAST(SUM(counterparty_income_points) AS CHAR) AS points, COUNT(*) AS gifts
       FROM ${rowsAfter(book, places, columns, { from, to: end ?? span.to })} t
       WHERE type = 0 AND status = 1 AND counterparty_id MOD ? = ? GROUP BY counterparty_id`,
      [parts, part],
    );
    for (const { anchor, points, gifts } of shares) {
      sums.set(String(anchor), (sums.get(String(anchor)) ?? 0n) + BigInt(points));
      rows += Number(gifts);
    }
    if (end === null) return rows;
    from = end;
  }
}

async function takePending(db: Queryable, sums: Map<string, bigint>, { part, parts }: Part): Promise<void> {
  for (let from = "0"; ; ) {
    const rows = await db.query<{ id: string; incomes: unknown }>(
      "SELECT id, incomes FROM t_anchor_income_pending WHERE id > ? ORDER BY id LIMIT ?",
      [from, limits.books.pageAccounts],
    );
    for (const { incomes } of rows)
      for (const [anchor, points] of (typeof incomes === "string" ? JSON.parse(incomes) : incomes) as [
        string,
        string,
      ][])
        if (BigInt(anchor) % BigInt(parts) === BigInt(part))
          sums.set(anchor, (sums.get(anchor) ?? 0n) - BigInt(points));
    if (rows.length < limits.books.pageAccounts) return;
    from = String(rows.at(-1)?.id);
  }
}

async function takeEarned(db: Queryable, sums: Map<string, bigint>, { part, parts }: Part): Promise<void> {
  for (let from = "0"; ; ) {
    const rows = await db.query<{ user_id: string; earned_points: string }>(
      "SELECT user_id, earned_points FROM t_anchor_income WHERE user_id > ? AND user_id MOD ? = ? ORDER BY user_id LIMIT ?",
      [from, parts, part, limits.books.pageRows],
    );
    for (const { user_id, earned_points } of rows)
      sums.set(String(user_id), (sums.get(String(user_id)) ?? 0n) - BigInt(earned_points));
    if (rows.length < limits.books.pageRows) return;
    from = String(rows.at(-1)?.user_id);
  }
}

/** The ids that are in none of these segments, which are in the order of their ids. */
function between(segments: readonly StoredSegment[]): IdSpan[] {
  const ends = [0n, ...segments.map(({ to }) => to - 1n)];
  const begins = [...segments.map(({ from }) => from - 1n), everything.to];
  return ends.map((from, at) => ({ from, to: begins[at] as bigint })).filter(({ from, to }) => to > from);
}

/**
 * What each anchor earned, with what is not rolled up yet, against the shares of all valid gifts. The sums of a part of
 * the anchors are in memory at a time; a page is such a part, as of one moment. `own`: the auditor's database, which has
 * the shares of closed segments that were added up before; `null`: every row is added up.
 */
export function earningsCheck(db: Database, own: Queryable | null): Check {
  return {
    ...{ name: "shares of gifts", rounds: false, passes: true },
    async range(since) {
      return since ? undefined : { from: "0" };
    },
    page({ from }) {
      return db.snapshot(async (snapshot) => {
        const [count] = await snapshot.query<{ anchors: string }>("SELECT COUNT(*) AS anchors FROM t_anchor_income");
        const parts = Math.max(1, Math.ceil(toSafeInteger(count?.anchors ?? 0) / limits.books.anchorsAtOnce));
        const part = { part: Number(from), parts };
        const sums = new Map<string, bigint>();
        const kept = own ? await keptSegments(snapshot, own) : [];
        if (own)
          await addKeptShares(
            own,
            archivedTrades.table,
            kept.map(({ segment }) => segment),
            sums,
            part,
          );
        let rows = 0;
        for (const span of between(kept)) rows += await addShares(snapshot, sums, part, span);
        await takePending(snapshot, sums, part);
        await takeEarned(snapshot, sums, part);
        const differences: Difference[] = [];
        for (const [anchor, left] of sums) {
          if (left === 0n || differences.length >= limits.books.findingsPerPage) continue;
          const detail = `the shares of her gifts are ${left} points more than what she earned`;
          differences.push({ kind: "earningsDiffer", subject: `anchor ${anchor}`, detail });
        }
        return { rows, differences, next: part.part + 1 < parts ? String(part.part + 1) : null };
      });
    },
  };
}
