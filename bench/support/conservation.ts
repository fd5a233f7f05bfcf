import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";

/** What must hold over all rows (the spec's section 8), as sentences about what does not. */
export async function conservationProblems(expected: { gifts: number }): Promise<string[]> {
  const wallet = databaseName("wallet");
  const gift = databaseName("gift");
  const connection = await createConnection({
    uri: config().MYSQL_URL,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  const one = async (sql: string) => {
    const [rows] = await connection.query(sql);
    return (rows as Record<string, string>[])[0] ?? {};
  };
  const problems: string[] = [];
  const same = (what: string, a: string | number | bigint | undefined, b: string | number | bigint | undefined) => {
    if (BigInt(a ?? -1) !== BigInt(b ?? -1)) problems.push(`${what}: ${a} and ${b} differ`);
  };
  try {
    const off = await one(
      `SELECT COUNT(*) AS accounts FROM ${wallet}.t_qiyu_currency_account a LEFT JOIN
         (SELECT user_id, SUM(num) AS total FROM ${wallet}.t_qiyu_currency_trade WHERE status = 1 GROUP BY user_id) t
         USING (user_id) WHERE a.current_balance <> COALESCE(t.total, 0) OR a.current_balance < 0`,
    );
    same("accounts whose balance is not the sum of their trades", off.accounts, 0);
    const trades = await one(
      `SELECT COALESCE(SUM(IF(type IN (1, 2), num, 0)), 0) AS charged, COALESCE(SUM(IF(type = 0, -num, 0)), 0) AS gifts,
         COALESCE(SUM(counterparty_income), 0) AS incomes, SUM(type = 0) AS gift_trades
       FROM ${wallet}.t_qiyu_currency_trade WHERE status = 1`,
    );
    const balances = await one(
      `SELECT COALESCE(SUM(current_balance), 0) AS total FROM ${wallet}.t_qiyu_currency_account`,
    );
    same(
      "recharged − refunded, balances + gifts",
      trades.charged,
      BigInt(balances.total ?? 0) + BigInt(trades.gifts ?? 0),
    );
    const income = await one(
      `SELECT (SELECT COALESCE(SUM(income), 0) FROM ${wallet}.t_anchor_income) AS total,
         (SELECT COUNT(*) FROM ${wallet}.t_anchor_income_pending) AS pending`,
    );
    same("incomes still to be rolled up", income.pending, 0);
    same("anchors' incomes, incomes of the trades", income.total, trades.incomes);
    const records = await one(
      `SELECT COUNT(*) AS records, COALESCE(SUM(status = 1), 0) AS succeeded,
         COALESCE(SUM(IF(status = 1, price * count, 0)), 0) AS coins FROM ${gift}.t_gift_record`,
    );
    same("gift records, gifts accepted", records.records, expected.gifts);
    same("succeeded records, valid gift trades", records.succeeded, trades.gift_trades);
    same("coins of the records, coins of the trades", records.coins, trades.gifts);
  } finally {
    await connection.end();
  }
  return problems;
}
