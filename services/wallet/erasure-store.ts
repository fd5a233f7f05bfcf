import { ofBoth } from "../../mixins/archive/merged-page.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { archivedTrades } from "../archived-tables.ts";

/** SQL of the erasure of a user. Postings and sums stay. */

/** Points that were earned and not paid out, held-back ones too. */
export async function unpaidIncome(db: Queryable, userId: string): Promise<bigint> {
  const [row] = await db.query<{ points: string }>(
    "SELECT CAST(earned_points - paid_out_points AS CHAR) AS points FROM t_anchor_income WHERE user_id = ?",
    [userId],
  );
  return BigInt(row?.points ?? 0);
}

/** Whether income that is not rolled up yet is the user's. The rows are those of the last seconds. */
export async function hasPendingIncome(db: Queryable, userId: string): Promise<boolean> {
  const rows = await db.query("SELECT 1 AS one FROM t_anchor_income_pending WHERE LOCATE(?, incomes) > 0 LIMIT 1", [
    `["${userId}"`,
  ]);
  return rows.length > 0;
}

/** The user's id, and the ids of the orders that gave her coins: operators' calls name them. */
export async function namesOf(db: Queryable, userId: string): Promise<Set<string>> {
  const select = (table: string) => `SELECT biz_id FROM ${table} WHERE user_id = ? AND type IN (1, 2)`;
  const { sql, values } = ofBoth(archivedTrades, select, [userId]);
  const rows = await db.query<{ biz_id: string }>(sql, values);
  return new Set([userId, ...rows.map(({ biz_id }) => biz_id)]);
}
