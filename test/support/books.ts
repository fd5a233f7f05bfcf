import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";

export type Query = <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;

/** Reads one service's database past the service, all queries as of one moment: what a test believes. */
export async function snapshot<T>(service: string, read: (query: Query) => Promise<T>): Promise<T> {
  const connection = await createConnection({
    uri: config().MYSQL_URL,
    database: databaseName(service),
    supportBigNumbers: true,
    bigNumberStrings: true,
    timezone: "Z",
  });
  try {
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    return await read(async (sql, values) => (await connection.query(sql, values))[0] as never);
  } finally {
    await connection.end();
  }
}

/** Rows of one service's database. BIGINTs come as strings. */
export function rows<Row extends object>(service: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  return snapshot(service, (query) => query<Row>(sql, values));
}

/**
 * The conservation laws of the books, over all rows: each balance is the sum of its valid trades, each debt of its debt
 * rows, recharged − refunded = balances + gifts sent, and the incomes of anchors are what the trades say.
 */
export function expectBooksBalanced(): Promise<void> {
  return snapshot("wallet", checkBooks);
}

async function checkBooks(query: Query): Promise<void> {
  const off = await query<{
    user_id: string;
  }>(`SELECT a.user_id, a.current_balance, COALESCE(t.total, 0) AS total, a.debt, COALESCE(d.total, 0) AS owed
     FROM t_qiyu_currency_account a
     LEFT JOIN (SELECT user_id, SUM(num) AS total FROM t_qiyu_currency_trade WHERE status = 1 GROUP BY user_id) t USING (user_id)
     LEFT JOIN (SELECT user_id, SUM(num) AS total FROM t_wallet_debt GROUP BY user_id) d USING (user_id)
     WHERE a.current_balance <> COALESCE(t.total, 0) OR a.debt <> COALESCE(d.total, 0) OR a.current_balance < 0`);
  expect(off).toEqual([]);
  const [sums] = await query<
    Record<"recharged" | "refunded" | "gifts" | "incomes" | "balances", string>
  >(`SELECT COALESCE(SUM(IF(type = 1, num, 0)), 0) AS recharged, COALESCE(SUM(IF(type = 2, -num, 0)), 0) AS refunded,
       COALESCE(SUM(IF(type = 0, -num, 0)), 0) AS gifts, COALESCE(SUM(counterparty_income), 0) AS incomes,
       (SELECT COALESCE(SUM(current_balance), 0) FROM t_qiyu_currency_account) AS balances
     FROM t_qiyu_currency_trade WHERE status = 1`);
  expect(BigInt(sums?.recharged ?? 0) - BigInt(sums?.refunded ?? 0)).toBe(
    BigInt(sums?.balances ?? 0) + BigInt(sums?.gifts ?? 0),
  );
  const pending = await query<{ incomes: string | object }>("SELECT incomes FROM t_anchor_income_pending");
  const waiting = pending
    .flatMap(({ incomes }) => (typeof incomes === "string" ? JSON.parse(incomes) : incomes) as [string, number][])
    .reduce((sum, [, income]) => sum + BigInt(income), 0n);
  const [income] = await query<{ total: string }>("SELECT COALESCE(SUM(income), 0) AS total FROM t_anchor_income");
  expect(BigInt(income?.total ?? 0) + waiting).toBe(BigInt(sums?.incomes ?? 0));
}
