import { mergedPage, newestFirst, ofBoth } from "../../mixins/archive/merged-page.ts";
import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedTrades } from "../archived-tables.ts";
import type { DebtEntry } from "./debts.ts";
import type { StatementRow } from "./wallet.contract.ts";

interface StatementRecord {
  id: string;
  num: string;
  type: number;
  status: number;
  biz_id: string;
  balance_after: string;
  create_time: Date;
}

/** The time of a trade. */
export async function timeOfTrade(db: Queryable, id: string): Promise<Date | undefined> {
  const both = ofBoth(archivedTrades, (table) => `SELECT create_time FROM ${table} WHERE id = ?`, [id]);
  const [row] = await db.query<{ create_time: Date }>(both.sql, both.values);
  return row?.create_time;
}

/**
 * A user's trades with ids below the cursor, newest first, archived ones too, without those by which her balance moved from
 * one server to another. `at`: the cursor is of another server, and this is its time; of rows of one time those with the
 * smaller id come later.
 */
export async function readTrades(
  db: Queryable,
  userId: string,
  cursor: string | undefined,
  limit: number,
  at?: Date,
): Promise<StatementRow[]> {
  const older = at ? "AND create_time <= ? AND (create_time < ? OR id < ?)" : "AND id < ?";
  const read = (table: string) =>
    db.query<StatementRecord>(
      `SELECT id, num, type, status, biz_id, balance_after, create_time FROM ${table}
       WHERE user_id = ? ${cursor ? older : ""} AND (type <> 3 OR biz_id NOT LIKE 'bucket-%') ORDER BY id DESC LIMIT ?`,
      [userId, ...(cursor && at ? [at, at] : []), ...(cursor ? [cursor] : []), limit],
    );
  const hot = await read(archivedTrades.table);
  const archived = hot.length < limit ? await read(archivedTrades.archive) : [];
  return mergedPage(hot, archived, newestFirst, limit).map((row) => ({
    id: String(row.id),
    num: toSafeInteger(row.num),
    type: Number(row.type),
    status: Number(row.status),
    bizId: row.biz_id,
    balanceAfter: toSafeInteger(row.balance_after),
    createTime: row.create_time.toISOString(),
  }));
}

/**
 * All changes of a user's debt, oldest first: a row for each refund that left one and each recharge that paid one off, and
 * those by which the debt moved from one server to another.
 */
export async function readDebts(db: Queryable, userId: string): Promise<(DebtEntry & { time: Date })[]> {
  const rows = await db.query<{ biz_id: string; num: string; create_time: Date }>(
    "SELECT biz_id, num, create_time FROM t_wallet_debt WHERE user_id = ? ORDER BY id",
    [userId],
  );
  return rows.map(({ biz_id, num, create_time }) => ({
    ...{ bizId: biz_id, num: toSafeInteger(num), time: create_time },
  }));
}
