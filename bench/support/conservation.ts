import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";

interface Books {
  /** The databases with the wallet's and the gift service's tables. */
  wallet: string;
  gift: string;
  /** The number of accepted gifts, filled history included. */
  gifts: number;
  /** The most gifts that may have been accepted, where answers were lost. */
  giftsAtMost?: number;
  /** False for the baseline, which has only the anchors' sums, and no archive. */
  incomeLedger?: boolean;
}

/** The tables with a kind of row. */
const placesOf = ({ incomeLedger }: Books, table: string): readonly string[] =>
  incomeLedger === false ? [table] : [table, `${table}_archive`];
const tradesOf = (books: Books) => placesOf(books, `${books.wallet}.t_qiyu_currency_trade`);
const recordsOf = (books: Books) => placesOf(books, `${books.gift}.t_gift_record`);

const rollUpDeadlineMs = 20_000;
const sumsBytes = 512 * 1024 * 1024;

async function open(): Promise<Connection> {
  const connection = await openConnection(config().MYSQL_URL, { supportBigNumbers: true, bigNumberStrings: true });
  // So the sums of a million users fit in memory.
  await connection.query(`SET SESSION tmp_table_size = ${sumsBytes}, max_heap_table_size = ${sumsBytes}`);
  return connection;
}

type Row = Record<string, string>;

async function one(connection: Connection, sql: string): Promise<Row> {
  const [rows] = await connection.query(sql);
  return (rows as Row[])[0] ?? {};
}

/** The sums of several tables added up, column by column; fingerprints are combined. */
async function sumOf(
  connection: Connection,
  tables: readonly string[],
  select: (table: string) => string,
): Promise<Record<string, bigint>> {
  const all: Record<string, bigint> = {};
  for (const table of tables)
    for (const [name, value] of Object.entries(await one(connection, select(table)))) {
      const [known, more] = [all[name] ?? 0n, BigInt(value ?? 0)];
      all[name] = name === "fingerprint" ? known ^ more : known + more;
    }
  return all;
}

/** Waits for the roll-up of incomes, which needs running wallet nodes; `false` where it is not complete in time. */
export async function incomesRollUp(): Promise<boolean> {
  const connection = await open();
  try {
    const sql = `SELECT COUNT(*) AS pending FROM ${databaseName("wallet")}.t_anchor_income_pending`;
    return await becomesTrue(async () => Number((await one(connection, sql)).pending) === 0, rollUpDeadlineMs, 50);
  } finally {
    await connection.end();
  }
}

/** Checks the invariants of ARCHITECTURE.md over all rows; returns a sentence for each that does not hold. */
export async function conservationProblems(books: Books): Promise<string[]> {
  const connection = await open();
  try {
    return [
      ...(await accountProblems(connection, books)),
      ...(await giftProblems(connection, books)),
      ...(await incomeProblems(connection, books)),
      ...(books.incomeLedger === false ? [] : await incomeLedgerProblems(connection, books)),
      ...(await holdProblems(connection, books)),
    ];
  } finally {
    await connection.end();
  }
}

/** The books of the product's own databases. */
export function productBooks(gifts: number, giftsAtMost = gifts): Books {
  return { wallet: databaseName("wallet"), gift: databaseName("gift"), gifts, giftsAtMost };
}

type Amount = string | number | bigint | undefined;

function differing(what: string, a: Amount, b: Amount): string[] {
  return BigInt(a ?? -1) === BigInt(b ?? -1) ? [] : [`${what}: ${a} and ${b} differ`];
}

async function accountProblems(connection: Connection, books: Books): Promise<string[]> {
  const { wallet, incomeLedger } = books;
  const [archived, archivedJoin] =
    incomeLedger === false
      ? ["0", ""]
      : ["COALESCE(s.num, 0)", `LEFT JOIN ${wallet}.t_trade_archive_sum s ON s.user_id = t.id`];
  // Grouped by an expression, so that rows are read in the order of the table and not one by one through an index.
  const off = await one(
    connection,
    `SELECT COUNT(*) AS accounts FROM
       (SELECT user_id + 0 AS id, SUM(IF(status = 1, num, 0)) AS total FROM ${wallet}.t_qiyu_currency_trade
        GROUP BY user_id + 0) t
     LEFT JOIN ${wallet}.t_qiyu_currency_account a ON a.user_id = t.id ${archivedJoin}
     WHERE a.user_id IS NULL OR a.current_balance <> t.total + ${archived}`,
  );
  const trades = await sumOf(
    connection,
    tradesOf(books),
    (table) => `SELECT COALESCE(SUM(num), 0) AS total, COALESCE(SUM(IF(type IN (1, 2, 3), num, 0)), 0) AS charged,
       COALESCE(SUM(IF(type = 0, -num, 0)), 0) AS gifts
     FROM ${table} WHERE status = 1`,
  );
  const balances = await one(
    connection,
    `SELECT COALESCE(SUM(current_balance), 0) AS total, COALESCE(SUM(current_balance < 0), 0) AS negative
     FROM ${wallet}.t_qiyu_currency_account`,
  );
  const held = BigInt(balances.total ?? 0) + BigInt(trades.gifts ?? 0);
  return [
    ...differing("users whose balance is not the sum of their trades", off.accounts, 0),
    ...differing("balances below zero", balances.negative, 0),
    // With the two above it shows that an account without trades has a balance of 0.
    ...differing("balances, valid trades", balances.total, trades.total),
    ...differing("recharged + adjusted − refunded, balances + gifts", trades.charged, held),
  ];
}

/**
 * A hash that is equal for two tables with the same rows, whatever their order; the text of each row has its unique id.
 * Cheaper than a join, which would read every row in no order.
 */
const fingerprint = (...columns: string[]) =>
  `BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS('|', ${columns.join(", ")})), 16), 16, 10) AS UNSIGNED))`;

async function giftProblems(connection: Connection, books: Books) {
  const { gifts, giftsAtMost = gifts } = books;
  const records = await sumOf(
    connection,
    recordsOf(books),
    (table) => `SELECT COUNT(*) AS succeeded, COALESCE(SUM(price * count), 0) AS coins,
       ${fingerprint("order_id", "user_id", "object_id", "price * count", "income_points")} AS fingerprint
     FROM ${table} WHERE status = 1`,
  );
  const trades = await sumOf(
    connection,
    tradesOf(books),
    (
      table,
    ) => `SELECT COUNT(*) AS gifts, COALESCE(SUM(-num), 0) AS coins, COALESCE(SUM(counterparty_income_points > -num * 100), 0) AS unfair,
       ${fingerprint("biz_id", "user_id", "counterparty_id", "-num", "counterparty_income_points")} AS fingerprint
     FROM ${table} WHERE status = 1 AND type = 0`,
  );
  const all = await sumOf(connection, recordsOf(books), (table) => `SELECT COUNT(*) AS records FROM ${table}`);
  const count = Number(all.records);
  return [
    ...(count >= gifts && count <= giftsAtMost ? [] : [`gift records: ${count} for ${gifts} gifts accepted`]),
    ...differing("succeeded records, valid gift trades", records.succeeded, trades.gifts),
    ...differing("coins of the records, coins of the trades", records.coins, trades.coins),
    ...differing("content of the records, content of the trades", records.fingerprint, trades.fingerprint),
    ...differing("gifts of which the anchor got more than was sent", trades.unfair, 0),
  ];
}

async function incomeProblems(connection: Connection, books: Books): Promise<string[]> {
  const { wallet } = books;
  const pending = await one(connection, `SELECT COUNT(*) AS number FROM ${wallet}.t_anchor_income_pending`);
  const sums = await one(connection, `SELECT COALESCE(SUM(earned_points), 0) AS noted FROM ${wallet}.t_anchor_income`);
  const { traded } = await sumOf(
    connection,
    tradesOf(books),
    (table) => `SELECT COALESCE(SUM(counterparty_income_points), 0) AS traded FROM ${table} WHERE status = 1`,
  );
  const byAnchor = tradesOf(books).map(
    (table) => `SELECT counterparty_id, SUM(counterparty_income_points) AS points FROM ${table}
        WHERE status = 1 AND type = 0 GROUP BY counterparty_id`,
  );
  const off = await one(
    connection,
    `SELECT COUNT(*) AS anchors FROM ${wallet}.t_anchor_income i JOIN
       (SELECT counterparty_id, SUM(points) AS total FROM (${byAnchor.join(" UNION ALL ")}) parts
        GROUP BY counterparty_id) t ON t.counterparty_id = i.user_id
     WHERE t.total <> i.earned_points`,
  );
  return [
    ...differing("incomes still to be rolled up", pending.number, 0),
    ...differing("anchors' incomes, incomes of the trades", sums.noted, traded),
    ...differing("anchors whose income is not the sum of their gifts' shares", off.anchors, 0),
  ];
}

/** Each anchor's totals are the sums of her postings, and no anchor was paid out more than she earned. */
async function incomeLedgerProblems(connection: Connection, { wallet }: Books): Promise<string[]> {
  const off = await one(
    connection,
    `SELECT COUNT(*) AS anchors FROM ${wallet}.t_anchor_income i LEFT JOIN
       (SELECT anchor_id, SUM(IF(kind = 0, points, 0)) AS earned, SUM(IF(kind IN (1, 2) AND status = 1, -points, 0)) AS held,
          SUM(IF(kind = 3 AND status = 1, -points, 0)) AS paid_out FROM ${wallet}.t_income_posting GROUP BY anchor_id) p
       ON p.anchor_id = i.user_id
     WHERE i.earned_points <> COALESCE(p.earned, 0) OR i.held_points <> COALESCE(p.held, 0)
       OR i.paid_out_points <> COALESCE(p.paid_out, 0) OR i.paid_out_points > i.earned_points`,
  );
  // With the one above it finds postings of anchors without totals.
  const sums = await one(
    connection,
    `SELECT (SELECT COALESCE(SUM(points), 0) FROM ${wallet}.t_income_posting WHERE status = 1) AS posted,
       (SELECT COALESCE(SUM(earned_points - held_points - paid_out_points), 0) FROM ${wallet}.t_anchor_income) AS free`,
  );
  return [
    ...differing("anchors whose totals are not the sums of their postings", off.anchors, 0),
    ...differing("free incomes, postings", sums.free, sums.posted),
  ];
}

/** Held-back income is never more than was earned, and is the sum of the held gifts' shares. */
async function holdProblems(connection: Connection, { wallet }: Books): Promise<string[]> {
  const off = await one(
    connection,
    `SELECT COUNT(*) AS anchors FROM ${wallet}.t_anchor_income WHERE held_points < 0 OR held_points > earned_points`,
  );
  const sums = await one(
    connection,
    `SELECT (SELECT COALESCE(SUM(-points), 0) FROM ${wallet}.t_income_posting
          WHERE kind = 1 AND order_id IS NOT NULL) AS held,
       (SELECT COALESCE(SUM(points), 0) FROM ${wallet}.t_income_hold_gift) AS gifts`,
  );
  return [
    ...differing("anchors with more held back than earned", off.anchors, 0),
    ...differing("what is held back, the held gifts' shares", sums.held, sums.gifts),
  ];
}
