import { archivedByKey } from "../../mixins/archive/archived-rows.ts";
import type { Suspects } from "../../mixins/archive/held-filters.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { toSafeInteger } from "../../mixins/mysql/database.ts";
import type { Sealing } from "../../mixins/seals/seal-chains.ts";
import { archivedTrades } from "../archived-tables.ts";
import { sealedLedgers } from "../book-seals.ts";
import type { Account, DebtRow, Prior, TradeRow } from "./posting.ts";
import type { Balance } from "./wallet.contract.ts";

/** SQL of the accounts and the ledger of coins. */

interface AccountRow {
  user_id: string;
  current_balance: string;
  total_charged: string;
  debt: string;
  status: number;
}

function toAccount(row: AccountRow): Account {
  return {
    userId: String(row.user_id),
    balance: toSafeInteger(row.current_balance),
    totalCharged: toSafeInteger(row.total_charged),
    debt: toSafeInteger(row.debt),
    status: Number(row.status),
  };
}

const accountColumns = "user_id, current_balance, total_charged, debt, status";

/**
 * Locks the accounts of the users until the transaction ends, in the order of their ids, and makes missing ones. Every
 * writer locks in this order, so two batches wait for each other instead of deadlocking. The same statement reads the
 * database's time, for the rows that the transaction writes.
 */
export async function lockAccounts(
  tx: Transaction,
  userIds: readonly string[],
  sealing: Pick<Sealing, "setTime">,
): Promise<Map<string, Account>> {
  const select = `SELECT ${accountColumns}, CAST(UTC_TIMESTAMP(3) AS CHAR) AS now_time
    FROM t_qiyu_currency_account WHERE user_id IN (?) ORDER BY user_id FOR UPDATE`;
  const accounts = new Map<string, Account>();
  const load = async () => {
    const rows = await tx.query<AccountRow & { now_time: string }>(select, [userIds]);
    for (const row of rows) accounts.set(String(row.user_id), toAccount(row));
    if (rows[0]) sealing.setTime(rows[0].now_time);
  };
  await load();
  const missing = userIds.filter((id) => !accounts.has(id)).sort(byNumber);
  if (missing.length > 0) {
    const values = missing.map(() => "(?)").join(",");
    await tx.run(
      `INSERT INTO t_qiyu_currency_account (user_id) VALUES ${values} ON DUPLICATE KEY UPDATE user_id = user_id`,
      missing,
    );
    await load();
  }
  return accounts;
}

function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

interface TradeRecord {
  biz_id: string;
  user_id: string;
  num: string;
  status: number;
  reason: string | null;
  counterparty_id: string | null;
  counterparty_income_points: string;
  balance_after: string;
}

const priorColumns = "biz_id, user_id, num, status, reason, counterparty_id, counterparty_income_points, balance_after";

function toPrior(row: TradeRecord): Prior {
  return {
    userId: String(row.user_id),
    num: toSafeInteger(row.num),
    valid: Number(row.status) === 1,
    reason: row.reason,
    counterpartyId: row.counterparty_id === null ? null : String(row.counterparty_id),
    incomePoints: toSafeInteger(row.counterparty_income_points),
    balanceAfter: toSafeInteger(row.balance_after),
    debtNum: 0,
  };
}

/**
 * The earlier rows of these business ids. Call it with the accounts locked, so that no row can be added after it. The
 * archive is asked after the ledger, as `archived` says of the ids that were not there: a row that is moved in between is
 * found.
 */
export async function readPriors(
  tx: Queryable,
  tradeIds: readonly string[],
  debtIds: readonly string[],
  archived: (missing: readonly string[]) => readonly Suspects[],
): Promise<Map<string, Prior>> {
  const priors = new Map<string, Prior>();
  if (tradeIds.length > 0) {
    const trades = await tx.query<TradeRecord>(
      `SELECT ${priorColumns} FROM t_qiyu_currency_trade WHERE biz_id IN (?)`,
      [tradeIds],
    );
    for (const row of trades) priors.set(row.biz_id, toPrior(row));
  }
  const places = archived(tradeIds.filter((id) => !priors.has(id)));
  for (const row of await archivedByKey<TradeRecord>(tx, archivedTrades, priorColumns, places))
    priors.set(row.biz_id, toPrior(row));
  if (debtIds.length > 0) {
    const debts = await tx.query<{ biz_id: string; user_id: string; num: string }>(
      "SELECT biz_id, user_id, num FROM t_wallet_debt WHERE biz_id IN (?)",
      [debtIds],
    );
    const empty = { num: 0, valid: true, reason: null, counterpartyId: null, incomePoints: 0, balanceAfter: 0 };
    for (const row of debts)
      priors.set(row.biz_id, {
        ...(priors.get(row.biz_id) ?? empty),
        userId: String(row.user_id),
        debtNum: toSafeInteger(row.num),
      });
  }
  return priors;
}

export async function insertTrades(tx: Transaction, rows: readonly TradeRow[], sealing: Sealing): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map((row) => [
    row.userId,
    row.num,
    row.type,
    row.status,
    row.bizId,
    row.counterpartyId,
    row.incomePoints,
    row.balanceAfter,
    row.reason,
  ]);
  const time = await sealing.time();
  const { insertId } = await tx.run(
    `INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points,
       balance_after, reason, create_time)
     VALUES ?`,
    [values.map((row) => [...row, time])],
  );
  const sum = rows.reduce((all, { num, status }) => all + BigInt(status === 1 ? num : 0), 0n);
  sealing.cover(sealedLedgers.trades, insertId, values, sum);
}

export async function insertDebts(tx: Transaction, rows: readonly DebtRow[], sealing: Sealing): Promise<void> {
  if (rows.length === 0) return;
  const places = rows.map(() => "(?,?,?,?)").join(", ");
  const time = await sealing.time();
  const { insertId } = await tx.run(
    `INSERT INTO t_wallet_debt (user_id, num, biz_id, create_time) VALUES ${places}`,
    rows.flatMap((row) => [row.userId, row.num, row.bizId, time]),
  );
  const sum = rows.reduce((all, { num }) => all + BigInt(num), 0n);
  sealing.cover(
    sealedLedgers.debts,
    insertId,
    rows.map((row) => [row.userId, row.num, row.bizId]),
    sum,
  );
}

/** Writes accounts; this transaction must have locked them. */
export async function updateAccounts(tx: Transaction, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return;
  await tx.run(
    `INSERT INTO t_qiyu_currency_account (${accountColumns}) VALUES ?
     ON DUPLICATE KEY UPDATE current_balance = VALUES(current_balance), total_charged = VALUES(total_charged),
       debt = VALUES(debt), status = VALUES(status)`,
    [accounts.map(({ userId, balance, totalCharged, debt, status }) => [userId, balance, totalCharged, debt, status])],
  );
}

/** Makes all accounts of a bucket usual ones: their statuses count on the server that has the bucket alone. */
export async function clearStatuses(tx: Transaction, bucket: number): Promise<void> {
  await tx.run("UPDATE t_qiyu_currency_account SET status = 1 WHERE store_bucket = ? AND status <> 1", [bucket]);
}

/** Balances by user; a user without an account is left out. */
export async function readBalances(db: Queryable, userIds: readonly string[]): Promise<Map<string, Balance>> {
  const rows = await db.query<AccountRow>(
    `SELECT ${accountColumns} FROM t_qiyu_currency_account WHERE user_id IN (?)`,
    [userIds],
  );
  return new Map(rows.map((row) => [String(row.user_id), toBalance(toAccount(row))]));
}

/** The users whose account is not valid. */
export async function readUnusable(db: Queryable, userIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ user_id: string }>(
    "SELECT user_id FROM t_qiyu_currency_account WHERE user_id IN (?) AND status <> 1",
    [userIds],
  );
  return rows.map(({ user_id }) => String(user_id));
}

/** The balance of a user without an account. */
export const noBalance = (userId: string): Balance => ({ userId, balance: 0, debt: 0, totalCharged: 0, status: 1 });

export function toBalance({ userId, balance, debt, totalCharged, status }: Account): Balance {
  return { userId, balance, debt, totalCharged, status };
}
