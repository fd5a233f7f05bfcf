import { limits } from "../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../mysql/database.ts";
import { firstIdSince } from "../mysql/first-id-since.ts";
import type { ArchivedTable } from "./archived-table.ts";
import { type Filter, probeOf } from "./bloom.ts";
import type { HotRows } from "./boundaries.ts";
import { SegmentDiffers } from "./sealed-filter.ts";
import type { IdRange } from "./segment-state.ts";

/** SQL of the rows that are to be moved. Every statement is a range of the primary key. */

interface TimedRow {
  id: string;
  time: Date;
}

const toRow = (row: TimedRow | undefined) => row && { id: BigInt(row.id), time: row.time };

/** Of a hot table, for the plan. */
export function hotRows(db: Queryable, { table, time }: ArchivedTable): HotRows {
  const one = async (condition: string, values: readonly unknown[], order: "ASC" | "DESC" = "ASC") => {
    const [row] = await db.query<TimedRow>(
      `SELECT id, ${time} AS time FROM ${table} FORCE INDEX (PRIMARY) WHERE ${condition} ORDER BY id ${order} LIMIT 1`,
      [...values],
    );
    return toRow(row);
  };
  return {
    firstFrom: (id) => one("id >= ?", [String(id)]),
    lastBelow: (id) => one("id < ?", [String(id)], "DESC"),
    firstOfOtherTime: async (id, at) => (await one(`id >= ? AND ${time} <> ?`, [String(id), at]))?.id,
    firstSince: (at) => firstIdSince(db, { table, column: time }, at),
    async newest() {
      const last = await one("TRUE", [], "DESC");
      const before = last && (await one(`id < ? AND ${time} <> ?`, [String(last.id), last.time], "DESC"));
      return last && (await one("id > ?", [String(before?.id ?? 0n)]))?.id;
    },
  };
}

/** How many rows a range of ids has, counted part by part. */
export async function countRows(db: Queryable, table: string, { from, to }: IdRange): Promise<number> {
  const step = BigInt(limits.archive.pageRows) * 20n;
  let rows = 0;
  for (let at = await firstIdIn(db, table, { from, to }); at !== undefined; ) {
    const end = at + step < to ? at + step : to;
    const [row] = await db.query<{ n: string }>(
      `SELECT COUNT(*) AS n FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ?`,
      [String(at), String(end)],
    );
    rows += toSafeInteger(row?.n ?? 0);
    at = await firstIdIn(db, table, { from: end, to });
  }
  return rows;
}

async function firstIdIn(db: Queryable, table: string, { from, to }: IdRange): Promise<bigint | undefined> {
  const [row] = await db.query<{ id: string }>(
    `SELECT id FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ? ORDER BY id LIMIT 1`,
    [String(from), String(to)],
  );
  return row && BigInt(row.id);
}

/** The id after the first `rows` rows of a range; its end where it has no more. */
async function endOfSlice(db: Queryable, table: string, { from, to }: IdRange, rows: number): Promise<bigint> {
  const [row] = await db.query<{ id: string }>(
    `SELECT id FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?`,
    [String(from), String(to), rows],
  );
  return row ? BigInt(row.id) : to;
}

/**
 * Moves the first `rows` rows of a range from the hot table into the archive table and adds them to the sums of their
 * users. Nothing is moved, or all of it with the sums. @throws Error where other rows are deleted than were copied, and
 * SegmentDiffers where the segment's filter lacks one of them: nobody would find it
 */
export async function moveRows(
  tx: Transaction,
  archived: ArchivedTable,
  range: IdRange,
  { rows, filter }: { readonly rows: number; readonly filter: Filter },
): Promise<{ movedTo: bigint; rows: number }> {
  const { table, archive, columns, sums, key } = archived;
  const end = await endOfSlice(tx, table, range, rows);
  const span = [String(range.from), String(end)];
  const list = columns.join(", ");
  const { affectedRows: copied } = await tx.run(
    `INSERT INTO ${archive} (${list})
     SELECT ${list} FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ? ORDER BY id`,
    span,
  );
  const keys = await tx.query<{ id: string; business_id: string }>(
    `SELECT id, ${key} AS business_id FROM ${archive} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ?`,
    span,
  );
  const lacking = keys.find(({ business_id }) => !filter.mayHave(probeOf(business_id)));
  if (lacking)
    throw new SegmentDiffers(`row ${lacking.id} of ${table}: the filter of its segment lacks ${lacking.business_id}`);
  if (sums) await addToSums(tx, table, span);
  // By the range alone: a scan would wait for the rows that gifts are being written to.
  const { affectedRows: deleted } = await tx.run(
    `DELETE h FROM ${table} h FORCE INDEX (PRIMARY) WHERE h.id >= ? AND h.id < ?`,
    span,
  );
  if (copied !== deleted) throw new Error(`${table} from ${range.from}: ${copied} rows copied, ${deleted} deleted`);
  return { movedTo: end, rows: copied };
}

async function addToSums(tx: Transaction, table: string, span: readonly string[]): Promise<void> {
  const sums = "t_trade_archive_sum";
  const add = ["trades", "num", "charged"].map((column) => `${column} = ${sums}.${column} + VALUES(${column})`);
  await tx.run(
    `INSERT INTO ${sums} (user_id, trades, num, charged, last_id, last_balance)
     SELECT s.user_id, s.trades, s.num, s.charged, s.last_id, l.balance_after
     FROM (SELECT user_id, COUNT(*) AS trades, SUM(IF(status = 1, num, 0)) AS num,
         SUM(IF(status = 1 AND type = 1, num, 0)) AS charged, MAX(id) AS last_id
       FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ? AND id < ? GROUP BY user_id) s
       JOIN ${table} l ON l.id = s.last_id
     ON DUPLICATE KEY UPDATE ${add.join(", ")}, last_id = VALUES(last_id), last_balance = VALUES(last_balance)`,
    [...span],
  );
}
