import { limits } from "../../config/limits.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../archived-tables.ts";
import type { SideTotals } from "./gift.contract.ts";

/** The SQL that adds up gift records. */

interface Wanted extends Span {
  readonly sides: readonly Side[];
  readonly topSenders: boolean;
}

interface Span {
  /** The first time, and the first one that does not count; ISO. */
  readonly from: string;
  readonly until: string;
  /** Orders that do not count. */
  readonly without: readonly string[];
}

interface Side {
  readonly roomId: number;
  readonly receiverId: string;
}

/** See `gift.totals`. @throws RangeError where a sum is no safe integer. */
export async function totalsOfSides(
  db: Queryable,
  { sides, topSenders, ...span }: Wanted,
): Promise<{ sides: SideTotals[]; leftOut: string[] }> {
  const one = topSenders ? totalsOf : sumsOf;
  const [totals, leftOut] = await Promise.all([
    Promise.all(sides.map((side) => one(db, side, span))),
    Promise.all(sides.map((side) => leftOutOf(db, side, span))),
  ]);
  return { sides: totals, leftOut: leftOut.flat() };
}

/**
 * The tables with the records of a span. What is as young as the results that are waited for is in no archive, which is
 * not asked then.
 */
const tablesOf = ({ from }: Span): readonly string[] =>
  Date.parse(from) > Date.now() - limits.archive.youngestMs
    ? [archivedRecords.table]
    : [archivedRecords.table, archivedRecords.archive];

/**
 * The records that count, as of one moment. One pass over the entries of the receiver and the span in `idx_object`, and
 * their rows. What she received in another room is read and left out.
 */
function counted({ roomId, receiverId }: Side, span: Span): { sql: string; values: unknown[] } {
  const { from, until, without } = span;
  const some = without.length > 0;
  const condition = `WHERE object_id = ? AND send_time >= ? AND send_time < ? AND room_id = ? AND status = 1
         ${some ? "AND order_id NOT IN (?)" : ""}`;
  const values = [receiverId, new Date(from), new Date(until), roomId, ...(some ? [without] : [])];
  const tables = tablesOf(span);
  const selects = tables.map(
    (table) => `SELECT user_id, price, count FROM ${table} FORCE INDEX (idx_object) ${condition}`,
  );
  const [table, archive] = tables;
  return {
    sql:
      archive === undefined
        ? `FROM ${table} FORCE INDEX (idx_object) ${condition}`
        : `FROM (${selects.join(" UNION ALL ")}) records`,
    values: tables.flatMap(() => values),
  };
}

async function sumsOf(db: Queryable, side: Side, span: Span): Promise<SideTotals> {
  const { sql, values } = counted(side, span);
  const [row] = await db.query<{ score: string | null; gifts: string }>(
    `SELECT SUM(price * count) AS score, COUNT(*) AS gifts ${sql}`,
    values,
  );
  return { score: toSafeInteger(row?.score ?? 0), gifts: toSafeInteger(row?.gifts ?? 0), topSenders: [] };
}

async function totalsOf(db: Queryable, side: Side, span: Span): Promise<SideTotals> {
  const { sql, values } = counted(side, span);
  const rows = await db.query<{ user_id: string; coins: string; score: string; gifts: string }>(
    `WITH by_sender AS (
       SELECT user_id, SUM(price * count) AS coins, COUNT(*) AS gifts ${sql}
       GROUP BY user_id)
     SELECT user_id, coins, SUM(coins) OVER () AS score, SUM(gifts) OVER () AS gifts
     FROM by_sender ORDER BY coins DESC, user_id LIMIT ?`,
    [...values, limits.battle.topSenders],
  );
  return {
    score: toSafeInteger(rows[0]?.score ?? 0),
    gifts: toSafeInteger(rows[0]?.gifts ?? 0),
    topSenders: rows.map(({ user_id, coins }) => ({ userId: String(user_id), coins: toSafeInteger(coins) })),
  };
}

async function leftOutOf(db: Queryable, { roomId, receiverId }: Side, span: Span): Promise<string[]> {
  const { from, until, without } = span;
  if (without.length === 0) return [];
  const tables = tablesOf(span);
  const selects = tables.map(
    (table) => `SELECT order_id FROM ${table}
     WHERE order_id IN (?) AND object_id = ? AND room_id = ? AND send_time >= ? AND send_time < ? AND status = 1`,
  );
  const rows = await db.query<{ order_id: string }>(
    selects.join(" UNION ALL "),
    tables.flatMap(() => [without, receiverId, roomId, new Date(from), new Date(until)]),
  );
  return rows.map(({ order_id }) => order_id);
}
