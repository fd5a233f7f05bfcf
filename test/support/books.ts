import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { archivedTrades } from "../../services/archived-tables.ts";

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
 * rows, recharged + adjusted − refunded = balances + gifts sent, the incomes of anchors are what the trades say, their
 * totals the sums of their postings, and what is held back of them is their shares of gifts that refunded coins paid for,
 * each coin at most once. Incomes in points throughout.
 */
export function expectBooksBalanced(): Promise<void> {
  return snapshot("wallet", (query) => checkBooks((sql, values) => query(ofAllTrades(sql), values)));
}

const tradeColumns = archivedTrades.columns.join(", ");

/** The same SELECT over the ledger with its archived trades. */
function ofAllTrades(sql: string): string {
  const { table, archive } = archivedTrades;
  const all = `SELECT ${tradeColumns}, counterparty_income FROM`;
  return `WITH all_trades AS (${all} ${table} UNION ALL ${all} ${archive}) ${sql.replaceAll(/\bt_qiyu_currency_trade\b/g, "all_trades")}`;
}

async function checkBooks(query: Query): Promise<void> {
  await checkAccounts(query);
  for (const [what, sql] of Object.entries({ ...incomeContradictions, ...holdContradictions }))
    expect({ [what]: await query(`${sql} LIMIT 5`) }).toEqual({ [what]: [] });
}

async function checkAccounts(query: Query): Promise<void> {
  const off = await query<{
    user_id: string;
  }>(`SELECT a.user_id, a.current_balance, COALESCE(t.total, 0) AS total, a.debt, COALESCE(d.total, 0) AS owed
     FROM t_qiyu_currency_account a
     LEFT JOIN (SELECT user_id, SUM(num) AS total FROM t_qiyu_currency_trade WHERE status = 1 GROUP BY user_id) t USING (user_id)
     LEFT JOIN (SELECT user_id, SUM(num) AS total FROM t_wallet_debt GROUP BY user_id) d USING (user_id)
     WHERE a.current_balance <> COALESCE(t.total, 0) OR a.debt <> COALESCE(d.total, 0) OR a.current_balance < 0`);
  expect(off).toEqual([]);
  const [sums] = await query<
    Record<"recharged" | "adjusted" | "refunded" | "gifts" | "incomes" | "balances", string>
  >(`SELECT COALESCE(SUM(IF(type = 1, num, 0)), 0) AS recharged, COALESCE(SUM(IF(type = 2, -num, 0)), 0) AS refunded,
       COALESCE(SUM(IF(type = 3, num, 0)), 0) AS adjusted,
       COALESCE(SUM(IF(type = 0, -num, 0)), 0) AS gifts, COALESCE(SUM(counterparty_income_points), 0) AS incomes,
       (SELECT COALESCE(SUM(current_balance), 0) FROM t_qiyu_currency_account) AS balances
     FROM t_qiyu_currency_trade WHERE status = 1`);
  expect(BigInt(sums?.recharged ?? 0) + BigInt(sums?.adjusted ?? 0) - BigInt(sums?.refunded ?? 0)).toBe(
    BigInt(sums?.balances ?? 0) + BigInt(sums?.gifts ?? 0),
  );
  const pending = await query<{ incomes: string | object }>("SELECT incomes FROM t_anchor_income_pending");
  const waiting = pending
    .flatMap(({ incomes }) => (typeof incomes === "string" ? JSON.parse(incomes) : incomes) as [string, string][])
    .reduce((sum, [, points]) => sum + BigInt(points), 0n);
  const [income] = await query<{ total: string }>(
    "SELECT COALESCE(SUM(earned_points), 0) AS total FROM t_anchor_income",
  );
  expect(BigInt(income?.total ?? 0) + waiting).toBe(BigInt(sums?.incomes ?? 0));
}

/** What a gift's points are of its coins, percent: a whole number. */
const percent = "(t.counterparty_income_points DIV -t.num)";
const lines = `t_income_hold_gift g JOIN t_income_posting h ON h.biz_id = g.hold_biz_id AND h.kind = 1`;

/** Rows about anchors' incomes which must never be seen, with why. */
const incomeContradictions: Readonly<Record<string, string>> = {
  "totals that are not the sums of the anchor's postings": `SELECT a.id, i.*, p.* FROM
       (SELECT user_id AS id FROM t_anchor_income UNION SELECT anchor_id FROM t_income_posting WHERE status = 1) a
     LEFT JOIN t_anchor_income i ON i.user_id = a.id
     LEFT JOIN (SELECT anchor_id, SUM(IF(kind = 0, points, 0)) AS earned, SUM(IF(kind IN (1, 2) AND status = 1, -points, 0)) AS held,
         SUM(IF(kind = 3 AND status = 1, -points, 0)) AS paid_out FROM t_income_posting GROUP BY anchor_id) p
       ON p.anchor_id = a.id
     WHERE COALESCE(i.earned_points, 0) <> COALESCE(p.earned, 0) OR COALESCE(i.held_points, 0) <> COALESCE(p.held, 0)
       OR COALESCE(i.paid_out_points, 0) <> COALESCE(p.paid_out, 0)`,
  "a payout of more than was free": `SELECT p.biz_id FROM t_income_posting p WHERE p.kind = 3 AND p.status = 1
     AND (SELECT SUM(points) FROM t_income_posting WHERE anchor_id = p.anchor_id AND status = 1 AND id <= p.id) < 0`,
  "whole coins that are not the points rounded down": `SELECT t.biz_id FROM t_qiyu_currency_trade t
     WHERE t.counterparty_income <> FLOOR(t.counterparty_income_points / 100)
     UNION SELECT user_id FROM t_anchor_income WHERE income <> FLOOR(earned_points / 100)`,
  "a gift whose share is no whole percent of it, or one that moved nothing and has a share": `SELECT t.biz_id
     FROM t_qiyu_currency_trade t WHERE t.counterparty_income_points <> 0
       AND (t.type <> 0 OR t.status <> 1 OR t.counterparty_income_points MOD t.num <> 0 OR ${percent} > 100)`,
};

/** Rows about shares that are held back which must never be seen, with why. */
const holdContradictions: Readonly<Record<string, string>> = {
  "an anchor of whom more is held back than was earned, or less than nothing": `SELECT h.anchor_id FROM
       (SELECT anchor_id, SUM(-points) AS held FROM t_income_posting
        WHERE kind IN (1, 2) AND order_id IS NOT NULL GROUP BY anchor_id) h
     LEFT JOIN (SELECT counterparty_id, SUM(counterparty_income_points) AS earned FROM t_qiyu_currency_trade
       WHERE type = 0 AND status = 1 GROUP BY counterparty_id) t ON t.counterparty_id = h.anchor_id
     WHERE h.held < 0 OR h.held > COALESCE(t.earned, 0)`,
  "a hold that is not the sum of its gifts": `SELECT h.biz_id FROM t_income_posting h
     LEFT JOIN (SELECT hold_biz_id, SUM(points) AS total FROM t_income_hold_gift GROUP BY hold_biz_id) g
       ON g.hold_biz_id = h.biz_id
     WHERE h.kind = 1 AND IF(h.order_id IS NULL, h.biz_id NOT LIKE 'free-hold:%' OR g.total IS NOT NULL,
       h.biz_id <> CONCAT('hold:', h.order_id, ':', h.anchor_id) OR -h.points <> COALESCE(g.total, 0))`,
  "gifts of no hold": `SELECT g.id FROM t_income_hold_gift g
     LEFT JOIN t_income_posting h ON h.biz_id = g.hold_biz_id AND h.kind = 1 WHERE h.id IS NULL`,
  "a release that is not its hold's opposite": `SELECT r.biz_id FROM t_income_posting r
     LEFT JOIN t_income_posting h ON h.biz_id = IF(r.order_id IS NULL, CONCAT('free-hold:', SUBSTRING(r.biz_id, 14)),
       CONCAT('hold:', r.order_id, ':', r.anchor_id)) AND h.points = -r.points AND h.anchor_id = r.anchor_id AND h.status = 1
     WHERE r.kind = 2 AND (h.id IS NULL OR r.biz_id <> IF(r.order_id IS NULL,
       CONCAT('free-release:', SUBSTRING(r.biz_id, 14)), CONCAT('release:', r.order_id, ':', r.anchor_id)))`,
  "a held share of a gift that is not such a share": `SELECT g.id FROM ${lines}
     LEFT JOIN t_qiyu_currency_trade r ON r.biz_id = CONCAT('refund:', h.order_id) AND r.type = 2
     LEFT JOIN t_qiyu_currency_trade t ON t.biz_id = g.gift_biz_id AND t.type = 0 AND t.status = 1
       AND t.counterparty_id = h.anchor_id AND t.user_id = r.user_id AND t.id < r.id
     WHERE t.id IS NULL OR g.coins_from + g.coins > -t.num OR g.points <> g.coins * ${percent}`,
  "a coin of a gift that is held for two": `SELECT a.id FROM t_income_hold_gift a
     JOIN t_income_hold_gift b ON b.gift_biz_id = a.gift_biz_id AND b.id <> a.id
     WHERE a.coins_from < b.coins_from + b.coins AND b.coins_from < a.coins_from + a.coins`,
  "an order for which more is held than its refund could not take back": `SELECT h.order_id FROM ${lines}
     LEFT JOIN t_wallet_debt d ON d.biz_id = CONCAT('refund:', h.order_id)
     GROUP BY h.order_id HAVING SUM(g.coins) > COALESCE(MAX(d.num), 0)`,
  "a refund without its row in the ledger": `SELECT d.biz_id FROM t_wallet_debt d
     LEFT JOIN t_qiyu_currency_trade t ON t.biz_id = d.biz_id AND t.user_id = d.user_id WHERE t.id IS NULL`,
};
