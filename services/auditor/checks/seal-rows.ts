import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { differingRows, rowsDigest, rowText, sealDigest, verdictOf } from "../../../mixins/seals/seal-form.ts";
import type { BookKeys } from "../../book-keys.ts";
import { type LedgerName, sealedLedgers } from "../../book-seals.ts";
import type { Difference } from "../differences.ts";
import type { Check, Page } from "./check.ts";
import { dueParts, isOfParts, lastId } from "./day-parts.ts";
import {
  type CoveredRows,
  coveredRows,
  digestSettings,
  idsBetween,
  type LedgerAt,
  type LedgerRow,
  ledgerAt,
  ledgerRows,
  rowsBetween,
  sumBetween,
} from "./ledger-rows-store.ts";
import { isSealed, type StoredSeal, sealedBefore, sealsAfter } from "./seal-rows-store.ts";
import { namedOf, type SealSource } from "./seal-source.ts";

/**
 * The rows of a ledger against their seals: each row has a seal, and is as it was sealed. A page is read as of one
 * moment, so a row that is there has its seal, whatever is being written.
 */

export interface SealCheckOptions {
  /**
   * Whether all rows are read. Otherwise seals of closed months are compared with the number and the sum of their rows,
   * and a part of these rows is read, another one each day: all of them in `limits.books.closedRowsDays` days.
   */
  readonly everyRow: boolean;
}

const sealName = ({ writer, number }: StoredSeal) => `seal ${writer}/${number}`;

/** E.g. `t_qiyu_currency_trade`, `t_operator_audit of gift`. */
function titleOf(ledger: LedgerName): string {
  const { service, table } = sealedLedgers[ledger];
  return table === "t_operator_audit" ? `${table} of ${service}` : namedOf(service, table);
}

/** E.g. `t_qiyu_currency_trade 17`, and what its columns name. It is another difference once the row has other values. */
function rowDifference(
  kind: Difference["kind"],
  ledger: LedgerName,
  id: string,
  row: LedgerRow | undefined,
  more: string,
) {
  const { columns } = sealedLedgers[ledger];
  const values = row ? columns.map((column, at) => `${column} ${row.values[at] ?? "NULL"}`).join(", ") : "";
  const detail = [more, values].filter(Boolean).join("; ");
  const measure = row ? rowsDigest([row.time, rowText(row.values)]) : detail;
  return { kind, subject: `${titleOf(ledger)} ${id}`, detail, measure };
}

function sealProblem(keys: BookKeys, seal: StoredSeal): Difference[] {
  const verdict = verdictOf(keys, seal.keyName, seal.digest, (key) => sealDigest(key, seal));
  if (verdict === "right" && seal.lastId === lastIdOf(seal)) return [];
  const rows = `rows ${seal.firstId} to ${seal.lastId} of book ${seal.book}`;
  if (verdict !== "unknownKey") return [{ kind: "sealForged", subject: sealName(seal), detail: rows }];
  return [
    {
      kind: "sealKeyUnknown",
      subject: namedOf(seal.service, `key ${seal.keyName}`),
      detail: `first ${sealName(seal)}`,
    },
  ];
}

/** The last id by the fields that are in the digest; the column is for the range of a query. */
const lastIdOf = ({ firstId, rows, idStep }: StoredSeal) => String(BigInt(firstId) + BigInt((rows - 1) * idStep));

/** At most as many as a true seal can have: the number may be forged. */
function idsOf({ firstId, rows, idStep }: StoredSeal): string[] {
  return Array.from({ length: Math.min(rows, limits.books.pageSealedRows) }, (_, at) =>
    String(BigInt(firstId) + BigInt(at * idStep)),
  );
}

/** Names the rows of a seal that are missing or not as they were sealed. */
async function rowProblems(
  db: Queryable,
  at: LedgerAt,
  seal: StoredSeal,
  now: CoveredRows | undefined,
): Promise<Difference[]> {
  const { ledger } = at;
  const ids = idsOf(seal);
  const there = new Map((await ledgerRows(db, at, ids)).map((row) => [row.id, row]));
  const texts = ids.map((id) => rowText(there.get(id)?.values ?? []));
  const differing = new Set(differingRows(seal.tags, texts));
  const by = `sealed ${seal.rowsTime} by ${sealName(seal)}`;
  const problems = ids.flatMap((id, place): Difference[] => {
    const row = there.get(id);
    if (!row) return [rowDifference("rowRemoved", ledger, id, undefined, by)];
    const moved = row.time !== seal.rowsTime;
    if (!moved && !differing.has(place)) return [];
    return [rowDifference("rowChanged", ledger, id, row, moved ? `create_time ${row.time}, ${by}` : by)];
  });
  if (problems.length > 0) return problems;
  const subject = `${titleOf(ledger)} ${seal.firstId} to ${seal.lastId}`;
  return [{ kind: "rowChanged", subject, detail: `one of these rows; ${by}`, measure: now?.digest ?? "" }];
}

const isAsSealed = (seal: StoredSeal, now: CoveredRows | undefined): boolean =>
  now?.found === seal.rows &&
  now.digest === seal.rowsDigest &&
  now.earliest === seal.rowsTime &&
  now.latest === seal.rowsTime;

/** The rows between two ids that no seal covers. */
async function unsealed(
  db: Queryable,
  at: LedgerAt,
  from: string,
  to: string,
  seals: readonly StoredSeal[],
): Promise<Difference[]> {
  const covered = new Set(seals.flatMap(idsOf));
  const candidates = (await idsBetween(db, at, from, to)).filter((id) => !covered.has(id));
  const found: string[] = [];
  for (const id of candidates.slice(0, limits.books.findingsPerPage))
    if (!(await isSealed(db, at.ledger, id))) found.push(id);
  const rows = new Map((await ledgerRows(db, at, found)).map((row) => [row.id, row]));
  return found.map((id) => rowDifference("rowUnsealed", at.ledger, id, rows.get(id), ""));
}

/** Whether the seals are of closed months, and not of the parts whose rows are read. */
function bySums(seals: readonly StoredSeal[]): boolean {
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 10);
  const due = dueParts();
  return (
    seals.length > 0 && seals.every(({ rowsTime, firstId }) => rowsTime < month && !isOfParts(BigInt(firstId), due))
  );
}

async function pageAfter(
  db: Queryable,
  keys: BookKeys,
  ledger: LedgerName,
  from: string,
  { everyRow }: SealCheckOptions,
): Promise<Page> {
  const at = await ledgerAt(db, ledger);
  const { seals, more } = await sealsAfter(db, ledger, from);
  const end = more ? lastIdOf(seals.at(-1) as StoredSeal) : String(lastId);
  const sealed = seals.reduce((sum, { rows }) => sum + rows, 0);
  const differences = seals.flatMap((seal) => sealProblem(keys, seal));
  const done = (rows: number): Page => ({
    ...{ rows, differences: differences.slice(0, limits.books.findingsPerPage), next: more ? end : null },
  });
  if (!everyRow && sealedLedgers[ledger].sumOf !== null && bySums(seals)) {
    const now = await sumBetween(db, at, from, end);
    const sum = seals.reduce((all, seal) => all + BigInt(seal.sum), 0n);
    if (now.rows === sealed && BigInt(now.sum) === sum) return done(sealed);
  }
  const now = await coveredRows(db, at, seals);
  let found = 0;
  for (const [place, seal] of seals.entries()) {
    found += now[place]?.found ?? 0;
    if (!isAsSealed(seal, now[place]) && differences.length < limits.books.findingsPerPage)
      differences.push(...(await rowProblems(db, at, seal, now[place])));
  }
  if ((await rowsBetween(db, at, from, end)) !== found) differences.push(...(await unsealed(db, at, from, end, seals)));
  return done(sealed);
}

export function sealRowsCheck({ db, keys }: SealSource, ledger: LedgerName, options: SealCheckOptions): Check {
  return {
    ...{ name: `seals of ${titleOf(ledger)}`, rounds: true, passes: true },
    async range(since) {
      return { from: since ? await sealedBefore(db, ledger, since) : "0" };
    },
    page: ({ from }) => db.snapshot((snapshot) => pageAfter(snapshot, keys, ledger, from, options), digestSettings),
  };
}
