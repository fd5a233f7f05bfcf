import { limits } from "../../../config/limits.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import { archivedRecords, archivedTrades } from "../../archived-tables.ts";
import type { SealingService } from "../../book-seals.ts";
import type { IdSpan } from "./day-parts.ts";
import { tableOf } from "./seal-source.ts";

/**
 * SQL of the two books with a row a gift, whose closed months are moved to an archive table: trades and gift records. A
 * row is in exactly one of both tables, and moves at any time, so what belongs together is read as of one moment.
 */

export interface Book {
  /** For people. */
  readonly name: string;
  readonly hot: string;
  readonly archive: string;
  /** The column that names a row for ever: of one business id there is one row, here or there; and the indexes on it. */
  readonly key: string;
  readonly keyIndexes: { readonly hot: string; readonly archive: string };
  /** The column whose values grow with the ids. */
  readonly time: string;
}

export const bookOf = ({ service, table, archive, key, keyIndex, time }: ArchivedTable): Book => ({
  ...{ name: table, key, time, keyIndexes: { hot: `uk_${key}`, archive: keyIndex } },
  ...{ hot: tableOf(service as SealingService, table), archive: tableOf(service as SealingService, archive) },
});

export const tradesBook = (): Book => bookOf(archivedTrades);
export const recordsBook = (): Book => bookOf(archivedRecords);

/** Where the rows of a book are, at one moment. Ids of rows; `null`: the table has none. */
export interface Places {
  readonly hotFrom: bigint | null;
  readonly archivedTo: bigint | null;
}

/** By the rows themselves: whoever puts a row into the wrong table makes reading slower, and hides nothing. */
export async function placesOf(db: Queryable, { hot, archive }: Book): Promise<Places> {
  const [row] = await db.query<Record<"hot_from" | "archived_to", string | null>>(
    `SELECT (SELECT MIN(id) FROM ${hot}) AS hot_from, (SELECT MAX(id) FROM ${archive}) AS archived_to`,
  );
  const idOf = (text: string | null | undefined) => (text === null || text === undefined ? null : BigInt(text));
  return { hotFrom: idOf(row?.hot_from), archivedTo: idOf(row?.archived_to) };
}

/** The first id in either table; `null` where there is no row. Ids of a further server begin far above zero. */
export async function firstId(db: Queryable, { hot, archive }: Book): Promise<bigint | null> {
  const [row] = await db.query<{ id: string | null }>(
    `SELECT MIN(id) AS id FROM (SELECT MIN(id) AS id FROM ${hot} UNION ALL SELECT MIN(id) AS id FROM ${archive}) n`,
  );
  return row === undefined || row.id === null ? null : BigInt(row.id);
}

/** The last id up to which every row is archived: such rows do not change any more. */
export function archivedUpTo({ hotFrom, archivedTo }: Places): bigint {
  if (archivedTo === null) return 0n;
  return hotFrom === null || hotFrom > archivedTo ? archivedTo : hotFrom - 1n;
}

/** The time of the last archived row; `undefined`: nothing is archived. */
export async function archivedUntil(db: Queryable, { archive, time }: Book): Promise<Date | undefined> {
  const [row] = await db.query<{ time: Date }>(`SELECT ${time} AS time FROM ${archive} ORDER BY id DESC LIMIT 1`);
  return row?.time;
}

/** The tables that may have rows from one id to another. */
export function tablesWith({ hot, archive }: Book, places: Places, first: bigint, last: bigint): string[] {
  const { hotFrom, archivedTo } = places;
  const tables = [];
  if (hotFrom !== null && last >= hotFrom) tables.push(hot);
  if (archivedTo !== null && first <= archivedTo) tables.push(archive);
  // Of no row: an empty range of one table.
  return tables.length > 0 ? tables : [hot];
}

/** The text of a derived table: the rows with ids above `from` up to `to`. Of one table it is merged into the query. */
export function rowsAfter(book: Book, places: Places, columns: string, { from, to }: IdSpan): string {
  const one = (table: string) =>
    `SELECT ${columns} FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ${from + 1n} AND id <= ${to}`;
  return `(${tablesWith(book, places, from + 1n, to)
    .map(one)
    .join(" UNION ALL ")})`;
}

/**
 * As `rowsAfter`, of the archive. The limit keeps the servers from looking up each partner by itself, so that a range is
 * read; and a row whose time was changed does not make it the whole archive.
 */
const archivedRange = ({ archive }: Book, columns: string, { from, to }: IdSpan) =>
  `(SELECT ${columns} FROM ${archive} FORCE INDEX (PRIMARY) WHERE id >= ${from + 1n} AND id <= ${to}
    ORDER BY id LIMIT ${limits.books.archivedNearRows})`;

/** Two keys each: lists of a thousand become subqueries at MariaDB, whose plan may be a scan. */
export const keysAtOnce = 400;

/** The text of a derived table: the rows of these business ids in both tables, each found by its index. Values: `keys` twice. */
export const rowsOfKeys = ({ hot, archive, key, keyIndexes }: Book, columns: string): string =>
  `(SELECT ${columns} FROM ${hot} FORCE INDEX (${keyIndexes.hot}) WHERE ${key} IN (?)
    UNION ALL SELECT ${columns} FROM ${archive} FORCE INDEX (${keyIndexes.archive}) WHERE ${key} IN (?))`;

/** The rows with which others are compared: a table or derived table, its values, and the keys that are asked for. */
export interface Partners {
  readonly source: string;
  readonly values: readonly unknown[];
  /** Unset: all rows are compared; otherwise those with these keys. */
  readonly only?: readonly string[];
}

interface Comparison<Row> {
  /** The book with the partners, and its columns that are compared. */
  readonly book: Book;
  readonly columns: string;
  /** The first and last time of what is compared, where that is archived: its partners stand near this time. */
  readonly near?: { readonly from: Date; readonly to: Date } | undefined;
  /** The rows that lack their partner, or differ from it: at most `limits.books.pageRows`. */
  readonly compare: (partners: Partners) => Promise<Row[]>;
  /** What `only` of a row's comparison is, and the keys that its partners may have. */
  readonly subjectOf: (row: Row) => string;
  readonly keysOf?: (row: Row) => readonly string[];
  /** The most rows that are returned; unset: `limits.books.findingsPerPage`. */
  readonly most?: number;
}

/** The span of archived rows of about these times. Settled at once, a gift stands at nearly one time in both books. */
async function spanNear(db: Queryable, { archive, time }: Book, from: Date, to: Date) {
  const place = { table: archive, column: time };
  const { archivedNearMs: nearMs } = limits.books;
  const first = await firstIdSince(db, place, new Date(from.getTime() - nearMs));
  const end = await firstIdSince(db, place, new Date(to.getTime() + nearMs + 1));
  return { from: first > 0n ? first - 1n : 0n, to: end };
}

/**
 * Compares rows with their partners in a book: at first with the hot ones, or of archived rows with those that stand near
 * them, which is one range. What lacks its partner there, or differs, is compared with the rows of its keys in both
 * tables. Returns what differs then, at most `most`. `db` reads as of one moment.
 */
export async function comparedWith<Row>(db: Queryable, one: Comparison<Row>): Promise<Row[]> {
  const { book, columns, near, compare, subjectOf, keysOf = (row) => [subjectOf(row)] } = one;
  const { most = limits.books.findingsPerPage } = one;
  const places = await placesOf(db, book);
  const isNear = near !== undefined && places.archivedTo !== null;
  const span = isNear ? await spanNear(db, book, near.from, near.to) : undefined;
  const source = span ? archivedRange(book, columns, span) : book.hot;
  const first = await compare({ source, values: [] });
  if (places.archivedTo === null) return first.slice(0, most);
  const left: Row[] = [];
  for (let at = 0; at < first.length && left.length < most; at += keysAtOnce) {
    const part = first.slice(at, at + keysAtOnce);
    const keys = part.flatMap(keysOf);
    const only = part.map(subjectOf);
    left.push(...(await compare({ source: rowsOfKeys(book, columns), values: [keys, keys], only })));
  }
  return left.slice(0, most);
}

/** The id that ends a page of so many rows; `null`: the span ends before. */
export async function pageEndOf(
  db: Queryable,
  book: Book,
  places: Places,
  span: IdSpan,
  rows: number,
): Promise<bigint | null> {
  const pages = tablesWith(book, places, span.from + 1n, span.to).map(
    (table) =>
      `SELECT id FROM ${table} FORCE INDEX (PRIMARY) WHERE id >= ${span.from + 1n} AND id <= ${span.to}
       ORDER BY id LIMIT ${rows}`,
  );
  const both = pages.length === 1 ? pages[0] : pages.map((page) => `(${page})`).join(" UNION ALL ");
  const [row] = await db.query<{ id: string }>(`SELECT id FROM (${both}) n ORDER BY id LIMIT 1 OFFSET ${rows - 1}`);
  return row ? BigInt(row.id) : null;
}

/** How many rows there are in a span, and their first and last time. */
export async function countIn(
  db: Queryable,
  book: Book,
  places: Places,
  span: IdSpan,
): Promise<{ rows: number; first: Date | null; last: Date | null }> {
  const source = rowsAfter(book, places, `${book.time} AS row_time`, span);
  const [row] = await db.query<{ found: string; first: Date | null; last: Date | null }>(
    `SELECT COUNT(*) AS found, MIN(row_time) AS first, MAX(row_time) AS last FROM ${source} n`,
  );
  return { rows: Number(row?.found), first: row?.first ?? null, last: row?.last ?? null };
}

/** The first id of a time or later in both tables: where every hot row is later, the archive is searched. */
export async function firstIdOf(db: Queryable, book: Book, since: Date): Promise<bigint> {
  const places = await placesOf(db, book);
  const hot = await firstIdSince(db, { table: book.hot, column: book.time }, since);
  if (places.archivedTo === null || (places.hotFrom !== null && hot > places.hotFrom)) return hot;
  const archived = await firstIdSince(db, { table: book.archive, column: book.time }, since);
  // After the last archived row: the first hot one.
  return archived > places.archivedTo && places.hotFrom !== null ? places.hotFrom : archived;
}
