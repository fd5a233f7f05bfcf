import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { auditColumns } from "../../../mixins/operator-audit/audit-columns.ts";
import { rowsDigest, rowText, sealDigest, verdictOf } from "../../../mixins/seals/seal-form.ts";
import type { BookKeys } from "../../book-keys.ts";
import { type LedgerRow, ledgerAt, ledgerRows } from "./ledger-rows-store.ts";
import { type StoredSeal, sealsOfRows } from "./seal-rows-store.ts";

/** The rows of an audit that count: those with a valid seal. Others are findings of their own. */

/** A row of t_operator_audit with its seal's time, in milliseconds since 1970. */
export interface SealedCall
  extends Readonly<Record<Exclude<(typeof auditColumns)[number], "params_digest"> | "params", string | null>> {
  readonly id: number;
  readonly time: number;
}

function isSealed(keys: BookKeys, row: LedgerRow, seal: StoredSeal): boolean {
  return (
    seal.rows === 1 &&
    seal.rowsTime === row.time &&
    seal.rowsDigest === rowsDigest([rowText(row.values)]) &&
    verdictOf(keys, seal.keyName, seal.digest, (key) => sealDigest(key, seal)) === "right"
  );
}

function callOf({ id, values, texts, time }: LedgerRow): SealedCall {
  const text = (column: (typeof auditColumns)[number]) => {
    const value = values[auditColumns.indexOf(column)] ?? null;
    return value === null ? null : String(value);
  };
  return {
    ...{ id: Number(id), time: Date.parse(`${time.replace(" ", "T")}Z`) },
    ...{ call_id: text("call_id"), operator: text("operator"), action: text("action") },
    ...{ params: texts.params ?? null, outcome: text("outcome"), request_id: text("request_id") },
  };
}

/** Of these rows of a service's audit those that the service has written: each row has a seal of its own. */
export async function sealedCalls(
  db: Queryable,
  keys: BookKeys,
  ledger: "giftAudit" | "paymentAudit",
  ids: readonly string[],
): Promise<SealedCall[]> {
  const { pageRows } = limits.books;
  const calls: SealedCall[] = [];
  const at = await ledgerAt(db, ledger);
  for (let first = 0; first < ids.length; first += pageRows) {
    const page = ids.slice(first, first + pageRows);
    const seals = Map.groupBy(await sealsOfRows(db, ledger, page), ({ firstId }) => firstId);
    for (const row of await ledgerRows(db, at, page))
      if (seals.get(row.id)?.some((seal) => isSealed(keys, row, seal))) calls.push(callOf(row));
  }
  return calls;
}
