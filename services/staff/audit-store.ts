import { limits } from "../../config/limits.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { oldTexts } from "../../mixins/retention/old-texts.ts";
import type { KeptRows } from "../../mixins/retention/retention-loop.ts";
import { erasableText } from "../../mixins/seals/erasable-text.ts";
import type { SealChains } from "../../mixins/seals/seal-chains.ts";
import { sealedLedgers } from "../book-seals.ts";
import type { StaffRole } from "../staff-roles.ts";
import type { AuditedStaffCall } from "./staff.contract.ts";

/** The SQL of the audit: rows are only added, each with its seal. */

const ledger = sealedLedgers.staffCalls;

/** A row; of its params the digest is sealed. */
export interface AuditEntry {
  /** Of an outcome: its call. */
  readonly callId: string | null;
  readonly person: string | null;
  readonly role: StaffRole | null;
  readonly address: string | null;
  readonly route: string | null;
  readonly about: string | null;
  readonly params: string | null;
  readonly outcome: string;
  readonly requestId: string | null;
}

/** Adds a row with its seal; durable when it returns. Returns its id. */
export function addEntry(mysql: Database, seals: SealChains, entry: AuditEntry): Promise<string> {
  const { callId, person, role, address, route, about, params, outcome, requestId } = entry;
  const { text, salt, digest } = erasableText(params);
  const values = [callId, person, role, address, route, about, digest, outcome, requestId];
  return seals.transaction(mysql, async (tx, sealing) => {
    const { insertId } = await tx.run(
      `INSERT INTO t_staff_audit (${ledger.columns.join(", ")}, params, params_salt, create_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [...values, text, salt, await sealing.time()],
    );
    sealing.cover(ledger, insertId, [values], 0n);
    return String(insertId);
  });
}

/** Whether there is a call with this id, which is not an outcome. */
export async function isCall(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query("SELECT id FROM t_staff_audit WHERE id = ? AND call_id IS NULL AND outcome = 'started'", [
    id,
  ]);
  return rows.length > 0;
}

/** Params of calls are kept for so many days; 0: for ever. */
export const keptParams = (days: number): KeptRows =>
  oldTexts({
    ...{ table: "t_staff_audit", text: "params", days },
    erase: (db, ids) => db.run("UPDATE t_staff_audit SET params = NULL, params_salt = NULL WHERE id IN (?)", [ids]),
  });

export interface AuditFilter {
  readonly person?: string | undefined;
  readonly route?: string | undefined;
  readonly about?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Rows that are written side by side may stand so far out of the order of their ids. */
const outOfOrderMs = 60_000;

/** The first id of a time or later, by the index on the time; `undefined` where there is none. */
async function firstIdSince(db: Queryable, time: number): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    "SELECT id FROM t_staff_audit WHERE create_time >= ? ORDER BY create_time, id LIMIT 1",
    [new Date(time)],
  );
  return row && String(row.id);
}

interface CallRow {
  readonly id: string;
  readonly create_time: Date;
  readonly person: string;
  readonly role: StaffRole | null;
  readonly address: string;
  readonly route: string;
  readonly about: string | null;
  /** `null`: erased. */
  readonly params: string | null;
  readonly outcome: string;
  readonly later_outcome: string | null;
  readonly outcome_time: Date | null;
}

/** A text that is no JSON was written by somebody else: it is shown as it is. */
function paramsOf(text: string | null): Record<string, unknown> | null {
  if (text === null) return null;
  try {
    const params: unknown = JSON.parse(text);
    return typeof params === "object" && params !== null ? (params as Record<string, unknown>) : { text };
  } catch {
    return { text };
  }
}

function callOf(row: CallRow): AuditedStaffCall {
  const { person, role, address, route, about, outcome, later_outcome, outcome_time } = row;
  const time = row.create_time.toISOString();
  // A call that was refused has its outcome in its own row.
  const isRefused = outcome !== "started";
  return {
    ...{ callId: String(row.id), time, person, role, address, route, about, params: paramsOf(row.params) },
    outcome: isRefused ? outcome : later_outcome,
    outcomeTime: isRefused ? time : (outcome_time?.toISOString() ?? null),
  };
}

/** Calls with their outcomes, the latest first. */
export async function readCalls(db: Queryable, filter: AuditFilter): Promise<AuditedStaffCall[]> {
  const { person, route, about, from, to, cursor, limit } = filter;
  const where: string[] = ["c.call_id IS NULL"];
  const values: unknown[] = [];
  const narrow = (condition: string, value: unknown) => {
    where.push(condition);
    values.push(value);
  };
  if (person !== undefined) narrow("c.person = ?", person);
  if (route !== undefined) narrow("c.route = ?", route);
  if (about !== undefined) narrow("c.about = ?", about);
  if (cursor !== undefined) narrow("c.id < ?", cursor);
  if (from !== undefined) {
    const first = await firstIdSince(db, Date.parse(from) - outOfOrderMs);
    if (first === undefined) return [];
    narrow("c.id >= ?", first);
    narrow("c.create_time >= ?", new Date(from));
  }
  if (to !== undefined) {
    const end = await firstIdSince(db, Date.parse(to) + outOfOrderMs);
    if (end !== undefined) narrow("c.id < ?", end);
    narrow("c.create_time < ?", new Date(to));
  }
  const rows = await db.query<CallRow>(
    `SELECT c.id, c.create_time, c.person, c.role, c.address, c.route, c.about, c.params, c.outcome,
            o.outcome AS later_outcome, o.create_time AS outcome_time
     FROM t_staff_audit c LEFT JOIN t_staff_audit o ON o.call_id = c.id
     WHERE ${where.join(" AND ")} ORDER BY c.id DESC LIMIT ?`,
    [...values, limit],
  );
  return rows.map(callOf);
}

/** Removes the params of calls about one of these ids; their seals stay valid. */
export async function eraseParamsAbout(db: Queryable, abouts: readonly string[]): Promise<void> {
  const { eraseRows } = limits.erasure;
  for (let rows: number = eraseRows; rows === eraseRows; )
    rows = (
      await db.run(
        "UPDATE t_staff_audit SET params = NULL, params_salt = NULL WHERE about IN (?) AND params_salt IS NOT NULL LIMIT ?",
        [abouts, eraseRows],
      )
    ).affectedRows;
}
