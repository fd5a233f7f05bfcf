import { limits } from "../../../config/limits.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { rowTextSql } from "../../../mixins/archive/row-text.ts";
import type { SealedSegment, SegmentSeal } from "../../../mixins/archive/seal-segment.ts";
import { type SegmentState, segmentStates } from "../../../mixins/archive/segment-state.ts";
import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { SealingService } from "../../book-seals.ts";
import { bookOf, type Places, rowsAfter } from "./book-rows-store.ts";
import type { IdSpan } from "./day-parts.ts";
import { tableOf } from "./seal-source.ts";

/** SQL of the segments, filters and sums of archives, as the auditor reads them. */

const own = ({ service }: ArchivedTable, table: string) => tableOf(service as SealingService, table);

/** A row of t_archive_segment: who can write it may have written anything. */
export interface StoredSegment {
  readonly segment: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly movedTo: bigint;
  readonly state: SegmentState | undefined;
  /** `undefined`: it has none, or what is sealed cannot be read. */
  readonly sealed: (SealedSegment & SegmentSeal) | undefined;
}

interface SegmentRow extends Record<"from_id" | "to_id" | "moved_to" | "month" | "state", string> {
  segment: number;
  row_count: string | null;
  row_sum: string | null;
  row_points: string | null;
  digest: Buffer | null;
  first_time: Date | null;
  last_time: Date | null;
  filter_hashes: number | null;
  filter_digest: Buffer | null;
  key_name: string | null;
  seal: Buffer | null;
}

function sealedOf(table: string, row: SegmentRow): StoredSegment["sealed"] {
  const { row_count, row_sum, row_points, digest, first_time, last_time } = row;
  const { filter_hashes, filter_digest, key_name, seal } = row;
  if (row_count === null || row_sum === null || row_points === null || !digest || !first_time || !last_time)
    return undefined;
  if (filter_hashes === null || !filter_digest || key_name === null || !seal) return undefined;
  const count = { rows: BigInt(row_count), sum: BigInt(row_sum), points: BigInt(row_points), digest };
  return {
    ...{ table, segment: Number(row.segment), from: BigInt(row.from_id), to: BigInt(row.to_id), month: row.month },
    count: { ...count, firstTime: first_time, lastTime: last_time },
    ...{ filterHashes: Number(filter_hashes), filterDigest: filter_digest, keyName: key_name, seal },
  };
}

/** The segments of a table, in the order of their numbers. */
export async function storedSegments(db: Queryable, archived: ArchivedTable): Promise<StoredSegment[]> {
  const rows = await db.query<SegmentRow>(
    `SELECT segment, from_id, to_id, moved_to, month, state, row_count, row_sum, row_points, digest, first_time, last_time,
       filter_hashes, filter_digest, key_name, seal
     FROM ${own(archived, "t_archive_segment")} WHERE table_name = ? ORDER BY segment`,
    [archived.table],
  );
  return rows.map((row) => ({
    ...{ segment: Number(row.segment), from: BigInt(row.from_id), to: BigInt(row.to_id) },
    movedTo: BigInt(row.moved_to),
    state: segmentStates.find((state) => state === row.state),
    sealed: sealedOf(archived.table, row),
  }));
}

/** The parts of a segment's filter, in their order. */
export async function filterParts(db: Queryable, archived: ArchivedTable, segment: number): Promise<Buffer[]> {
  const filters = own(archived, "t_archive_filter");
  const numbers = await db.query<{ part: number }>(
    `SELECT part FROM ${filters} WHERE table_name = ? AND segment = ? ORDER BY part`,
    [archived.table, segment],
  );
  const parts: Buffer[] = [];
  for (const { part } of numbers) {
    const [row] = await db.query<{ bits: Buffer }>(
      `SELECT bits FROM ${filters} WHERE table_name = ? AND segment = ? AND part = ?`,
      [archived.table, segment, part],
    );
    if (row) parts.push(row.bits);
  }
  return parts;
}

/** Segments that have a filter, and are neither sealed nor planned: the filter of a planned one is stored before its seal. */
export async function strayFilters(db: Queryable, archived: ArchivedTable): Promise<number[]> {
  const rows = await db.query<{ segment: number }>(
    `SELECT DISTINCT f.segment FROM ${own(archived, "t_archive_filter")} f
     LEFT JOIN ${own(archived, "t_archive_segment")} s ON s.table_name = f.table_name AND s.segment = f.segment
       AND (s.seal IS NOT NULL OR s.state = 'planned')
     WHERE f.table_name = ? AND s.segment IS NULL LIMIT ?`,
    [archived.table, limits.books.findingsPerPage],
  );
  return rows.map(({ segment }) => Number(segment));
}

/** How often filters were added or segments closed, as nodes know it; `null`: the row is gone. */
export async function revisionOf(db: Queryable, archived: ArchivedTable): Promise<number | null> {
  const [row] = await db.query<{ revision: string }>(
    `SELECT revision FROM ${own(archived, "t_archive_revision")} WHERE table_name = ?`,
    [archived.table],
  );
  return row ? toSafeInteger(row.revision) : null;
}

/** Ids of rows in the table where they should not be: `where` is in the hot table, or else in the archive. */
export async function idsWithin(
  db: Queryable,
  archived: ArchivedTable,
  where: "hot" | "archive",
  from: bigint,
  to: bigint,
): Promise<string[]> {
  if (to <= from) return [];
  const book = bookOf(archived);
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM ${book[where]} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`,
    [String(from), String(to), limits.books.findingsPerPage],
  );
  return rows.map(({ id }) => String(id));
}

/** What the rows of a segment add up to; sums are of valid rows. */
export interface Counted {
  readonly rows: bigint;
  readonly sum: bigint;
  readonly points: bigint;
}

/** Counts the rows with ids above `from` up to `to`, wherever they are. */
export async function countedRows(
  db: Queryable,
  archived: ArchivedTable,
  span: IdSpan,
  places: Places,
): Promise<Counted> {
  const columns = `${archived.sum} AS row_sum, ${archived.points} AS row_points`;
  const source = rowsAfter(bookOf(archived), places, columns, span);
  const [row] = await db.query<{ found: string; sum: string | null; points: string | null }>(
    `SELECT COUNT(*) AS found, CAST(SUM(row_sum) AS CHAR) AS sum, CAST(SUM(row_points) AS CHAR) AS points FROM ${source} n`,
  );
  return { rows: BigInt(row?.found ?? 0), sum: BigInt(row?.sum ?? 0), points: BigInt(row?.points ?? 0) };
}

export interface TextRow {
  readonly text: string;
  /** The business id. */
  readonly key: string;
}

/** The rows of a span as a segment's digest has them, wherever they are. */
export async function textRows(
  db: Queryable,
  archived: ArchivedTable,
  span: IdSpan,
  places: Places,
): Promise<TextRow[]> {
  const columns = `id, ${archived.key} AS row_key, ${rowTextSql(archived)} AS row_text`;
  const rows = await db.query<{ row_key: string; row_text: string }>(
    `SELECT row_key, row_text FROM ${rowsAfter(bookOf(archived), places, columns, span)} n ORDER BY id`,
  );
  return rows.map(({ row_key, row_text }) => ({ key: row_key, text: row_text }));
}

/** Rows of a span of archived rows whose business id the hot table has too: one was charged or recorded twice. */
export async function twiceIn(
  db: Queryable,
  archived: ArchivedTable,
  span: IdSpan,
): Promise<{ id: string; key: string; other: string }[]> {
  const { hot, archive, key, keyIndexes } = bookOf(archived);
  const rows = await db.query<{ id: string; row_key: string; other: string }>(
    `SELECT a.id, a.${key} AS row_key, h.id AS other FROM ${archive} a FORCE INDEX (PRIMARY)
       STRAIGHT_JOIN ${hot} h FORCE INDEX (${keyIndexes.hot}) ON h.${key} = a.${key}
     WHERE a.id >= ${span.from + 1n} AND a.id <= ${span.to} ORDER BY a.id LIMIT ?`,
    [limits.books.findingsPerPage],
  );
  return rows.map(({ id, row_key, other }) => ({ id: String(id), key: row_key, other: String(other) }));
}
