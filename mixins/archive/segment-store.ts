import { type Database, type Queryable, type Transaction, toSafeInteger } from "../mysql/database.ts";
import type { SealedSegment, SegmentSeal } from "./seal-segment.ts";
import { maySegmentMove, type Segment, type SegmentCount, type SegmentState } from "./segment-state.ts";

/** SQL of segments, filters and the revision. */

interface SegmentRow {
  table_name: string;
  segment: number;
  from_id: string;
  to_id: string;
  moved_to: string;
  month: string;
  state: SegmentState;
}

const columns = "table_name, segment, from_id, to_id, moved_to, month, state";

const toSegment = (row: SegmentRow): Segment => ({
  table: row.table_name,
  segment: Number(row.segment),
  from: BigInt(row.from_id),
  to: BigInt(row.to_id),
  movedTo: BigInt(row.moved_to),
  month: row.month,
  state: row.state,
});

/** The segments of a table, in the order of their ids. */
export async function readSegments(db: Queryable, table: string): Promise<Segment[]> {
  const rows = await db.query<SegmentRow>(
    `SELECT ${columns} FROM t_archive_segment WHERE table_name = ? ORDER BY segment`,
    [table],
  );
  return rows.map(toSegment);
}

/** The segment with the highest ids. */
export async function lastSegment(db: Queryable, table: string): Promise<Segment | undefined> {
  const [row] = await db.query<SegmentRow>(
    `SELECT ${columns} FROM t_archive_segment WHERE table_name = ? ORDER BY segment DESC LIMIT 1`,
    [table],
  );
  return row && toSegment(row);
}

/**
 * A segment, locked until the transaction ends: one transaction at a time changes it or moves its rows. By an UPDATE: for
 * FOR UPDATE MySQL wants the right to change all columns.
 */
export async function lockSegment(tx: Transaction, { table, segment }: Segment): Promise<Segment> {
  await tx.run("UPDATE t_archive_segment SET state = state WHERE table_name = ? AND segment = ?", [table, segment]);
  const [row] = await tx.query<SegmentRow>(
    `SELECT ${columns} FROM t_archive_segment WHERE table_name = ? AND segment = ?`,
    [table, segment],
  );
  if (!row) throw new Error(`segment ${segment} of ${table} is gone`);
  return toSegment(row);
}

/** Writes a planned segment. Fails with a duplicate key where another node has planned it at the same time. */
export async function planSegment(db: Queryable, { table, segment, from, to, month }: Segment): Promise<void> {
  await db.run(
    `INSERT INTO t_archive_segment (table_name, segment, from_id, to_id, moved_to, month, state, planned_time)
     VALUES (?, ?, ?, ?, ?, ?, 'planned', UTC_TIMESTAMP(3))`,
    [table, segment, String(from), String(to), String(from), month],
  );
}

function requireMove(from: SegmentState, to: SegmentState, segment: Segment): void {
  if (!maySegmentMove(from, to))
    throw new Error(`segment ${segment.segment} of ${segment.table} is ${from}, it cannot become ${to}`);
}

/** Writes the filter of a planned segment, which no node reads yet. Fails with a duplicate key where it is there. */
export async function storeParts(
  tx: Transaction,
  { table, segment }: Segment,
  parts: readonly Buffer[],
): Promise<void> {
  for (const [part, bits] of parts.entries())
    await tx.run("INSERT INTO t_archive_filter (table_name, segment, part, bits) VALUES (?, ?, ?, ?)", [
      ...[table, segment, part, bits],
    ]);
}

/**
 * Makes a planned segment, whose filter is stored, filtered: what was counted, and its seal. Afterwards call
 * `raiseRevision`, as the last statement: transactions of the ledger wait for it.
 */
export async function storeSeal(
  tx: Transaction,
  segment: Segment,
  { count, filterHashes, filterDigest }: SealedSegment,
  { keyName, seal }: SegmentSeal,
): Promise<void> {
  requireMove(segment.state, "filtered", segment);
  await tx.run(
    `UPDATE t_archive_segment SET state = 'filtered', row_count = ?, row_sum = ?, row_points = ?, digest = ?,
       first_time = ?, last_time = ?, filter_hashes = ?, filter_digest = ?, key_name = ?, seal = ?,
       filtered_time = UTC_TIMESTAMP(3)
     WHERE table_name = ? AND segment = ?`,
    [
      ...[String(count.rows), String(count.sum), String(count.points), count.digest, count.firstTime, count.lastTime],
      ...[filterHashes, filterDigest, keyName, seal, segment.table, segment.segment],
    ],
  );
}

/** Notes that rows below `movedTo` are moved, in the transaction that moves them. */
export async function noteMoved(tx: Transaction, segment: Segment, movedTo: bigint): Promise<void> {
  if (segment.state !== "emptying") requireMove(segment.state, "emptying", segment);
  await tx.run("UPDATE t_archive_segment SET state = 'emptying', moved_to = ? WHERE table_name = ? AND segment = ?", [
    String(movedTo),
    segment.table,
    segment.segment,
  ]);
}

/** Closes a segment all of whose rows are moved and counted again. */
export async function closeSegment(tx: Transaction, segment: Segment): Promise<void> {
  requireMove(segment.state, "closed", segment);
  await tx.run(
    `UPDATE t_archive_segment SET state = 'closed', closed_time = UTC_TIMESTAMP(3)
     WHERE table_name = ? AND segment = ?`,
    [segment.table, segment.segment],
  );
}

interface CountRow {
  row_count: string;
  row_sum: string;
  row_points: string;
  digest: Buffer;
  first_time: Date;
  last_time: Date;
  filter_hashes: number;
  filter_digest: Buffer;
  key_name: string;
  seal: Buffer;
}

/** What was sealed of a segment, and its seal; `undefined` while it is planned. */
export async function readSealed(
  db: Queryable,
  { table, segment, from, to, month }: Segment,
): Promise<(SealedSegment & SegmentSeal) | undefined> {
  const [row] = await db.query<CountRow>(
    `SELECT row_count, row_sum, row_points, digest, first_time, last_time, filter_hashes, filter_digest, key_name, seal
     FROM t_archive_segment WHERE table_name = ? AND segment = ? AND seal IS NOT NULL`,
    [table, segment],
  );
  if (!row) return undefined;
  const count: SegmentCount = {
    rows: BigInt(row.row_count),
    sum: BigInt(row.row_sum),
    points: BigInt(row.row_points),
    digest: row.digest,
    firstTime: row.first_time,
    lastTime: row.last_time,
  };
  const filter = { filterHashes: Number(row.filter_hashes), filterDigest: row.filter_digest };
  return { table, segment, from, to, month, count, ...filter, keyName: row.key_name, seal: row.seal };
}

/** The parts of a segment's filter, in their order. */
export async function readFilterParts(db: Queryable, { table, segment }: Segment): Promise<Buffer[]> {
  const numbers = await db.query<{ part: number }>(
    "SELECT part FROM t_archive_filter WHERE table_name = ? AND segment = ? ORDER BY part",
    [table, segment],
  );
  const parts: Buffer[] = [];
  for (const { part } of numbers) {
    const [row] = await db.query<{ bits: Buffer }>(
      "SELECT bits FROM t_archive_filter WHERE table_name = ? AND segment = ? AND part = ?",
      [table, segment, part],
    );
    if (row) parts.push(row.bits);
  }
  return parts;
}

const revisionOf = (row: { revision: string } | undefined, table: string): number => {
  if (!row) throw new Error(`t_archive_revision has no row of ${table}: its migration puts it there`);
  return toSafeInteger(row.revision);
};

export async function readRevision(db: Queryable, table: string): Promise<number> {
  const [row] = await db.query<{ revision: string }>("SELECT revision FROM t_archive_revision WHERE table_name = ?", [
    table,
  ]);
  return revisionOf(row, table);
}

/**
 * The revision, which does not grow until the transaction ends. A login that may only SELECT may lock so: MySQL needs
 * other words for it than MariaDB.
 */
export async function holdRevision(tx: Transaction, table: string): Promise<number> {
  const [row] = await tx.query<{ revision: string }>(
    "SELECT revision FROM t_archive_revision WHERE table_name = ? /*!80000 FOR SHARE */ /*M! LOCK IN SHARE MODE */",
    [table],
  );
  return revisionOf(row, table);
}

/** Waits for the transactions that hold the revision, and lets none in until the commit. */
export async function raiseRevision(tx: Transaction, table: string): Promise<void> {
  const { affectedRows } = await tx.run("UPDATE t_archive_revision SET revision = revision + 1 WHERE table_name = ?", [
    table,
  ]);
  if (affectedRows !== 1) revisionOf(undefined, table);
}

/** Whether a segment has been filtered for so long, by the database's clock. */
export async function isFilteredFor(db: Queryable, { table, segment }: Segment, ms: number): Promise<boolean> {
  const rows = await db.query(
    `SELECT segment FROM t_archive_segment
     WHERE table_name = ? AND segment = ? AND filtered_time <= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND`,
    [table, segment, ms * 1_000],
  );
  return rows.length > 0;
}

/** The time of the database. */
export async function databaseTime(db: Pick<Database, "query">): Promise<Date> {
  const [row] = await db.query<{ now_time: Date }>("SELECT UTC_TIMESTAMP(3) AS now_time");
  return (row as { now_time: Date }).now_time;
}
