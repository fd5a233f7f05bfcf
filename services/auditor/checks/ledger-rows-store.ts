import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { sealedValue } from "../../../mixins/seals/erasable-text.ts";
import { type RowValues, rowSeparator, type SealedLedger, valueSeparator } from "../../../mixins/seals/seal-form.ts";
import { type LedgerName, sealedLedgers } from "../../book-seals.ts";
import { type Book, type Places, placesOf, rowsAfter, tablesWith, tradesBook } from "./book-rows-store.ts";
import type { StoredSeal } from "./seal-rows-store.ts";
import { tableOf } from "./seal-source.ts";

/** SQL of the rows that seals cover, in both tables where there is an archive. Digests are hex. */

/** A ledger, and where its rows are at one moment: those of trades are in two tables. */
export interface LedgerAt {
  readonly ledger: LedgerName;
  readonly book: Book;
  readonly places: Places;
}

/** As of the moment of `db`. */
export async function ledgerAt(db: Queryable, ledger: LedgerName): Promise<LedgerAt> {
  if (ledger === "trades") return { ledger, book: tradesBook(), places: await placesOf(db, tradesBook()) };
  const { service, table } = sealedLedgers[ledger];
  const hot = tableOf(service, table);
  const keyIndexes = { hot: "PRIMARY", archive: "PRIMARY" };
  const book = { name: table, hot, archive: "", key: "id", keyIndexes, time: "create_time" };
  return { ledger, book, places: { hotFrom: 0n, archivedTo: null } };
}

/** What of a row is read. Texts that may be erased have columns beside them, and are in no archive. */
const columnsOf = (ledger: LedgerName): string => {
  const { columns, erasable = [] }: SealedLedger = sealedLedgers[ledger];
  return erasable.length > 0 ? "*" : ["id", "create_time", ...columns].join(", ");
};

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

/** A seal that was forged may have any range: of such a one a part is read. */
function nowOf({ ledger, book, places }: LedgerAt, { firstId, lastId }: StoredSeal): string {
  const values = valuesNow(ledger)
    .map((value) => `IFNULL(${value}, '')`)
    .join(", ");
  const [first, last] = [BigInt(firstId), BigInt(lastId)];
  const most = first + BigInt(limits.books.sealIdsMax);
  const span = { from: first - 1n, to: last < most ? last : most };
  return `SELECT ? AS place, COUNT(*) AS found, CAST(MIN(create_time) AS CHAR) AS earliest,
      CAST(MAX(create_time) AS CHAR) AS latest,
      SHA2(GROUP_CONCAT(CONCAT_WS('${valueSeparator}', ${values}) ORDER BY id SEPARATOR '${rowSeparator}'), 256) AS digest
    FROM ${rowsAfter(book, places, columnsOf(ledger), span)} n WHERE (id - ?) MOD ? = 0`;
}

/** Settings of the session: otherwise the joined text would be cut, and the digest be wrong. */
export const digestSettings: readonly string[] = [`SET SESSION group_concat_max_len = ${limits.books.digestBytes}`];

/** The rows of each seal, in the order of the seals. Each is a range of its own, so no plan can become a scan. */
export async function coveredRows(db: Queryable, at: LedgerAt, seals: readonly StoredSeal[]): Promise<CoveredRows[]> {
  if (seals.length === 0) return [];
  const rows = await db.query<{
    place: string;
    found: string;
    earliest: string;
    latest: string;
    digest: string | null;
  }>(
    seals.map((seal) => `(${nowOf(at, seal)})`).join(" UNION ALL "),
    seals.flatMap(({ firstId, idStep }, place) => [place, firstId, idStep]),
  );
  const all: CoveredRows[] = [];
  for (const { place, found, earliest, latest, digest } of rows)
    all[Number(place)] = { found: Number(found), digest: digest ?? "", earliest, latest };
  return all;
}

const between = ({ book, places }: LedgerAt, columns: string, from: string, to: string) =>
  rowsAfter(book, places, columns, { from: BigInt(from), to: BigInt(to) });

/** How many rows a ledger has between two ids. */
export async function rowsBetween(db: Queryable, at: LedgerAt, from: string, to: string): Promise<number> {
  const [row] = await db.query<{ found: string }>(`SELECT COUNT(*) AS found FROM ${between(at, "id", from, to)} n`);
  return Number(row?.found);
}

/** As `rowsBetween`, with the sum of the valid rows. */
export async function sumBetween(
  db: Queryable,
  at: LedgerAt,
  from: string,
  to: string,
): Promise<{ rows: number; sum: string }> {
  const { sumOf, valid } = sealedLedgers[at.ledger];
  const counted = `IF(${valid}, ${sumOf ?? 0}, 0) AS counted`;
  const [row] = await db.query<{ found: string; total: string | null }>(
    `SELECT COUNT(*) AS found, CAST(SUM(counted) AS CHAR) AS total FROM ${between(at, counted, from, to)} n`,
  );
  return { rows: Number(row?.found), sum: row?.total ?? "0" };
}

/** The ids between two, at most twice `limits.books.pageSealedRows` of them. */
export async function idsBetween(db: Queryable, at: LedgerAt, from: string, to: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(`SELECT id FROM ${between(at, "id", from, to)} n ORDER BY id LIMIT ?`, [
    limits.books.pageSealedRows * 2,
  ]);
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

/** The rows with these ids, wherever they are. */
export async function ledgerRows(db: Queryable, at: LedgerAt, ids: readonly string[]): Promise<LedgerRow[]> {
  if (ids.length === 0) return [];
  const { ledger, book, places } = at;
  const { columns, erasable = [] }: SealedLedger = sealedLedgers[ledger];
  const values = valuesNow(ledger).map((value, place) => `${value} AS value_${place}`);
  const tables = tablesWith(book, places, 0n, BigInt(ids.at(-1) as string));
  const found = tables.map((table) => `SELECT ${columnsOf(ledger)} FROM ${table} WHERE id IN (?)`).join(" UNION ALL ");
  const rows = await db.query<Record<string, string | null>>(
    `SELECT id, CAST(create_time AS CHAR) AS sealed_time, ${[...values, ...erasable].join(", ")} FROM (${found}) n
     ORDER BY id`,
    tables.map(() => ids),
  );
  return rows.map((row) => ({
    ...{ id: String(row.id), time: String(row.sealed_time) },
    values: columns.map((_, at) => row[`value_${at}`] ?? null),
    texts: Object.fromEntries(erasable.map((text) => [text, row[text] ?? null])),
  }));
}
