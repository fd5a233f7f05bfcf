import { mergedPage, newestFirst } from "../../mixins/archive/merged-page.ts";
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

/** A user's trades with ids below the cursor, newest first, archived ones too. */
export async function readTrades(
  db: Queryable,
  userId: string,
  cursor: string | undefined,
  limit: number,
): Promise<StatementRow[]> {
  const read = (table: string) =>
    db.query<StatementRecord>(
      `SELECT id, num, type, status, biz_id, balance_after, create_time FROM ${table}
       WHERE user_id = ? ${cursor ? "AND id < ?" : ""} ORDER BY id DESC LIMIT ?`,
      cursor ? [userId, cursor, limit] : [userId, limit],
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

/** All changes of a user's debt, oldest first: a row for each refund that left one and each recharge that paid one off. */
export async function readDebts(db: Queryable, userId: string): Promise<DebtEntry[]> {
  const rows = await db.query<{ biz_id: string; num: string }>(
    "SELECT biz_id, num FROM t_wallet_debt WHERE user_id = ? ORDER BY id",
    [userId],
  );
  return rows.map(({ biz_id, num }) => ({ bizId: biz_id, num: toSafeInteger(num) }));
}
