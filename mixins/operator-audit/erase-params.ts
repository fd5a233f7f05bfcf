import { limits } from "../../config/limits.ts";
import type { Queryable } from "../mysql/database.ts";

/** The params that are text of a person. */
const freeText: readonly string[] = ["reason", "remark"];

/** Ids that callers choose: one may be the same text as the id of somebody else. */
const chosen: ReadonlySet<string> = new Set(["payoutId", "holdId", "adjustId"]);

/** The texts in a value, those in lists too. */
const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap(textsIn) : typeof value === "string" ? [value] : [];

function concerns(params: string, names: ReadonlySet<string>): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(params);
  } catch {
    // Somebody else wrote it: its seal says so.
    return false;
  }
  if (typeof parsed !== "object" || parsed === null || !freeText.some((name) => name in parsed)) return false;
  return Object.entries(parsed)
    .filter(([name]) => !chosen.has(name))
    .flatMap(([, value]) => textsIn(value))
    .some((text) => names.has(text));
}

/**
 * Removes the params of operators' calls that name one of these ids and have text of a person; the seals of the rows stay
 * valid. It reads the whole audit by its ids, page by page: operators' calls are few. A repeat does the same.
 */
export async function eraseAuditParams(db: Queryable, names: ReadonlySet<string>): Promise<void> {
  const { eraseRows } = limits.erasure;
  for (let after = "0"; ; ) {
    const rows = await db.query<{ id: string; params: string | null }>(
      "SELECT id, IF(params_salt IS NULL, NULL, params) AS params FROM t_operator_audit WHERE id > ? ORDER BY id LIMIT ?",
      [after, eraseRows],
    );
    const found = rows.flatMap(({ id, params }) => (params !== null && concerns(params, names) ? [String(id)] : []));
    if (found.length > 0)
      await db.run("UPDATE t_operator_audit SET params = NULL, params_salt = NULL WHERE id IN (?)", [found]);
    const last = rows.at(-1);
    if (!last || rows.length < eraseRows) return;
    after = String(last.id);
  }
}
