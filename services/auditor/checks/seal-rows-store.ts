import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import { sealedValue } from "../../../mixins/seals/erasable-text.ts";
import { type RowValues, rowSeparator, type SealedLedger, valueSeparator } from "../../../mixins/seals/seal-form.ts";
import { type LedgerName, type SealingService, sealedLedgers } from "../../book-seals.ts";
import { tableOf } from "./seal-source.ts";

/** SQL of seals and the rows that they cover. Digests are hex. */

const sealsOf = (ledger: LedgerName) => tableOf(sealedLedgers[ledger].service, "t_ledger_seal");
const rowsOf = (ledger: LedgerName) => tableOf(sealedLedgers[ledger].service, sealedLedgers[ledger].table);

export interface StoredSeal {
  readonly service: SealingService;
  readonly writer: string;
  /** As text: whoever may INSERT has written any. */
  readonly number: string;
  readonly previous: string;
  readonly book: number;
  readonly firstId: string;
  readonly lastId: string;
  readonly idStep: number;
  readonly rows: number;
  readonly sum: string;
  readonly rowsTime: string;
  readonly rowsDigest: string;
  readonly tags: Buffer;
  readonly keyName: string;
  readonly digest: string;
}

interface SealRow extends Record<"first_id" | "last_id" | "row_sum" | "number", string> {
  writer: string;
  previous: Buffer;
  book: number;
  id_step: number;
  row_count: number;
  rows_time: string;
  rows_digest: Buffer;
  row_tags: Buffer;
  key_name: string;
  digest: Buffer;
}

const sealColumns = `writer, number, previous, book, first_id, last_id, id_step, row_count, row_sum,
  CAST(rows_time AS CHAR) AS rows_time, rows_digest, row_tags, key_name, digest`;

function toSeal(ledger: LedgerName, row: SealRow): StoredSeal {
  return {
    service: sealedLedgers[ledger].service,
    writer: row.writer,
    number: String(row.number),
    previous: row.previous.toString("hex"),
    book: Number(row.book),
    firstId: String(row.first_id),
    lastId: String(row.last_id),
    idStep: Number(row.id_step),
    rows: Number(row.row_count),
    sum: String(row.row_sum),
    rowsTime: row.rows_time,
    rowsDigest: row.rows_digest.toString("hex"),
    tags: row.row_tags,
    keyName: row.key_name,
    digest: row.digest.toString("hex"),
  };
}

/** The next seals of a ledger, by their rows' ids: as many as a page has seals, and rows. */
export async function sealsAfter(
  db: Queryable,
  ledger: LedgerName,
  from: string,
): Promise<{ seals: StoredSeal[]; more: boolean }> {
  const { pageSeals, pageSealedRows } = limits.books;
  const rows = await db.query<SealRow>(
    `SELECT ${sealColumns} FROM ${sealsOf(ledger)} WHERE book = ? AND first_id > ? ORDER BY first_id LIMIT ?`,
    [sealedLedgers[ledger].book, from, pageSeals + 1],
  );
  const seals: StoredSeal[] = [];
  let covered = 0;
  for (const row of rows.slice(0, pageSeals)) {
    if (covered >= pageSealedRows) break;
    seals.push(toSeal(ledger, row));
    covered += Number(row.row_count);
  }
  return { seals, more: seals.length < rows.length };
}

/** The seals that begin with one of these rows. */
export async function sealsOfRows(db: Queryable, ledger: LedgerName, ids: readonly string[]): Promise<StoredSeal[]> {
  if (ids.length === 0) return [];
  const rows = await db.query<SealRow>(
    `SELECT ${sealColumns} FROM ${sealsOf(ledger)} WHERE book = ? AND first_id IN (?)`,
    [sealedLedgers[ledger].book, ids],
  );
  return rows.map((row) => toSeal(ledger, row));
}

/**
 * The last id that was sealed before the seals of a time or later: rows that stand between the two have no
 * seal. Where there are no seals of that time: the last id that is sealed.
 */
export async function sealedBefore(db: Queryable, ledger: LedgerName, since: Date): Promise<string> {
  const { book } = sealedLedgers[ledger];
  const first = await firstIdSince(db, { table: sealsOf(ledger), column: "rows_time" }, since);
  const [row] = await db.query<{ begin: string | null }>(
    `SELECT MIN(first_id) AS begin FROM ${sealsOf(ledger)} WHERE id >= ? AND book = ?`,
    [String(first), book],
  );
  const begin = row?.begin ?? null;
  const [before] = await db.query<{ last_id: string }>(
    `SELECT last_id FROM ${sealsOf(ledger)} WHERE book = ? ${begin === null ? "" : "AND first_id < ?"}
     ORDER BY first_id DESC LIMIT 1`,
    begin === null ? [book] : [book, begin],
  );
  const sealed = BigInt(before?.last_id ?? 0);
  // Ranges of a cluster of several primaries overlap.
  return String(begin === null || sealed < BigInt(begin) ? sealed : BigInt(begin) - 1n);
}

/** What the rows of a seal are now. */
export interface CoveredRows {
  readonly found: number;
  readonly digest: string;
  /** Of create_time; of no row: `null`. */
  readonly earliest: string | null;
  readonly latest: string | null;
}

/** The SQL of the sealed values of a row as it is now, in their order. */
const valuesNow = (ledger: LedgerName): string[] => {
  const { columns, erasable = [] }: SealedLedger = sealedLedgers[ledger];
  return columns.map((column) => sealedValue(column, erasable));
};

const nowOf = (ledger: LedgerName): string => {
  const values = valuesNow(ledger)
    .map((value) => `IFNULL(${value}, '')`)
    .join(", ");
  return `SELECT ? AS place, COUNT(*) AS found, CAST(MIN(create_time) AS CHAR) AS earliest,
      CAST(MAX(create_time) AS CHAR) AS latest,
      SHA2(GROUP_CONCAT(CONCAT_WS('${valueSeparator}', ${values}) ORDER BY id SEPARATOR '${rowSeparator}'), 256) AS digest
    FROM ${rowsOf(ledger)} WHERE id BETWEEN ? AND ? AND (id - ?) MOD ? = 0`;
};

/** Settings of the session: otherwise the joined text would be cut, and the digest be wrong. */
export const digestSettings: readonly string[] = [`SET SESSION group_concat_max_len = ${limits.books.digestBytes}`];

/** The rows of each seal, in the order of the seals. Each is a range of its own, so no plan can become a scan. */
export async function coveredRows(
  db: Queryable,
  ledger: LedgerName,
  seals: readonly StoredSeal[],
): Promise<CoveredRows[]> {
  if (seals.length === 0) return [];
  const rows = await db.query<{
    place: string;
    found: string;
    earliest: string;
    latest: string;
    digest: string | null;
  }>(
    seals.map(() => `(${nowOf(ledger)})`).join(" UNION ALL "),
    seals.flatMap(({ firstId, lastId, idStep }, place) => [place, firstId, lastId, firstId, idStep]),
  );
  const all: CoveredRows[] = [];
  for (const { place, found, earliest, latest, digest } of rows)
    all[Number(place)] = { found: Number(found), digest: digest ?? "", earliest, latest };
  return all;
}

/** How many rows a ledger has, and the sum of the valid ones, between two ids. */
export async function rowsBetween(db: Queryable, ledger: LedgerName, from: string, to: string): Promise<number> {
  const [row] = await db.query<{ found: string }>(
    `SELECT COUNT(*) AS found FROM ${rowsOf(ledger)} WHERE id > ? AND id <= ?`,
    [from, to],
  );
  return Number(row?.found);
}

/** As `rowsBetween`, with the sum of the valid rows. */
export async function sumBetween(
  db: Queryable,
  ledger: LedgerName,
  from: string,
  to: string,
): Promise<{ rows: number; sum: string }> {
  const { sumOf, valid } = sealedLedgers[ledger];
  const [row] = await db.query<{ found: string; total: string | null }>(
    `SELECT COUNT(*) AS found, CAST(SUM(IF(${valid}, ${sumOf ?? 0}, 0)) AS CHAR) AS total
     FROM ${rowsOf(ledger)} WHERE id > ? AND id <= ?`,
    [from, to],
  );
  return { rows: Number(row?.found), sum: row?.total ?? "0" };
}

/** The ids between two, at most `limits.books.pageSealedRows` of them. */
export async function idsBetween(db: Queryable, ledger: LedgerName, from: string, to: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM ${rowsOf(ledger)} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
    [from, to, limits.books.pageSealedRows * 2],
  );
  return rows.map(({ id }) => String(id));
}

/** A row as its seal has it, with what names it. */
export interface LedgerRow {
  readonly id: string;
  readonly values: RowValues;
  /** The texts that may be erased. */
  readonly texts: Readonly<Record<string, string | null>>;
  readonly time: string;
}

export async function ledgerRows(db: Queryable, ledger: LedgerName, ids: readonly string[]): Promise<LedgerRow[]> {
  if (ids.length === 0) return [];
  const { columns, erasable = [] }: SealedLedger = sealedLedgers[ledger];
  const values = valuesNow(ledger).map((value, at) => `${value} AS value_${at}`);
  const rows = await db.query<Record<string, string | null>>(
    `SELECT id, CAST(create_time AS CHAR) AS sealed_time, ${[...values, ...erasable].join(", ")} FROM ${rowsOf(ledger)}
     WHERE id IN (?) ORDER BY id`,
    [ids],
  );
  return rows.map((row) => ({
    ...{ id: String(row.id), time: String(row.sealed_time) },
    values: columns.map((_, at) => row[`value_${at}`] ?? null),
    texts: Object.fromEntries(erasable.map((text) => [text, row[text] ?? null])),
  }));
}

/** Whether a seal covers the row. Ranges of a cluster of several primaries overlap. */
export async function isSealed(db: Queryable, ledger: LedgerName, id: string): Promise<boolean> {
  const { book } = sealedLedgers[ledger];
  const least = BigInt(id) - BigInt(limits.books.sealIdsMax);
  const rows = await db.query(
    `SELECT 1 FROM ${sealsOf(ledger)} WHERE book = ? AND first_id BETWEEN ? AND ? AND last_id >= ?
       AND (? - first_id) MOD id_step = 0 LIMIT 1`,
    [book, String(least > 0n ? least : 0n), id, id, id],
  );
  return rows.length > 0;
}
