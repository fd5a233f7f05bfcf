import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import { type LedgerName, type SealingService, sealedLedgers } from "../../book-seals.ts";
import { tableOf } from "./seal-source.ts";

/** SQL of seals, by the rows that they cover. Digests are hex. */

const sealsOf = (ledger: LedgerName) => tableOf(sealedLedgers[ledger].service, "t_ledger_seal");

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
