import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { giftPrice, rooms } from "../settle/gifts.ts";
import { firstAnchor, firstSender } from "../support/seed.ts";
import { withoutIndexes } from "./indexes.ts";

const coins = 10_000;
const incomePoints = giftPrice * 50;
const rowsPerStatement = 250_000;
const dirtyPagesLeft = 200;
const flushDeadlineMs = 5 * 60_000;
/** Settings that make the server flush all dirty pages, in the order in which they may be set. */
const hurry = [
  ["innodb_io_capacity_max", 40_000],
  ["innodb_io_capacity", 20_000],
  ["innodb_max_dirty_pages_pct", 0],
] as const;

export interface Filled {
  accounts: number;
  /** Rows of the ledger: a recharge for each account, and as many pairs of a recharge and a gift as fit. */
  trades: number;
  /** Gifts among them, each with its record. */
  gifts: number;
}

/** The plan for `accounts` and `trades`, in whole pairs. */
export function plan(accounts: number, trades: number): Filled {
  const gifts = Math.max(0, Math.floor((trades - accounts) / 2));
  return { accounts, trades: accounts + 2 * gifts, gifts };
}

/** The whole numbers from 0 to a million, as a derived table that works on every server. */
const digit =
  "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
const million = `(SELECT f.d * 100000 + e.d * 10000 + d.d * 1000 + c.d * 100 + b.d * 10 + a.d AS i
  FROM ${digit} a, ${digit} b, ${digit} c, ${digit} d, ${digit} e, ${digit} f)`;

/** Numbers n from `from` up, `size` of them. */
const numbers = (from: number, size: number) => `(SELECT ${from} + i AS n FROM ${million} m WHERE i < ${size}) numbers`;

/** The account of pair n: spread evenly, in no order. */
const userOf = (accounts: number) => `${firstSender} + (n * 7919) % ${accounts}`;
const anchorOf = `${firstAnchor} + n % ${rooms}`;
const orderOf = "MD5(CONCAT('gift-', n))";

interface Tables {
  account: string;
  trade: string;
  income: string;
  posting: string;
  record: string;
}

/**
 * Empties the books and fills them with a history that adds up: each account was recharged once, and then all accounts
 * sent gifts in turn, each after a recharge of its price. Keys are in no order, like real ones.
 */
export async function fillBooks(past: Filled, progress: (line: string) => void): Promise<void> {
  const wallet = databaseName("wallet");
  const tables: Tables = {
    account: `${wallet}.t_qiyu_currency_account`,
    trade: `${wallet}.t_qiyu_currency_trade`,
    income: `${wallet}.t_anchor_income`,
    posting: `${wallet}.t_income_posting`,
    record: `${databaseName("gift")}.t_gift_record`,
  };
  const connection = await openConnection(config().MYSQL_URL);
  try {
    await connection.query("SET SESSION unique_checks = 0, time_zone = '+00:00'");
    for (const table of Object.values(tables)) await connection.query(`TRUNCATE TABLE ${table}`);
    await withoutIndexes(connection, tables.trade, async () => {
      await fillAccounts(connection, tables, past, progress);
      await fillTrades(connection, tables, past, progress);
      if (past.gifts > 0) progress("ledger: making the indexes");
    });
    await withoutIndexes(connection, tables.record, async () => {
      await fillRecords(connection, tables, past, progress);
      if (past.gifts > 0) progress("records: making the indexes");
    });
    await connection.query(
      `INSERT INTO ${tables.income} (user_id, earned_points) SELECT counterparty_id, SUM(counterparty_income_points)
       FROM ${tables.trade} WHERE type = 0 GROUP BY counterparty_id`,
    );
    await connection.query(
      `INSERT INTO ${tables.posting} (anchor_id, kind, points, biz_id)
       SELECT user_id, 0, earned_points, CONCAT('gifts:past:', user_id) FROM ${tables.income}`,
    );
  } finally {
    await connection.end();
  }
}

/** Calls `insert` with the table of numbers of each portion. */
async function inPortions(
  count: number,
  what: string,
  progress: (line: string) => void,
  insert: (numbers: string) => Promise<unknown>,
): Promise<void> {
  for (let done = 0; done < count; done += rowsPerStatement) {
    const size = Math.min(rowsPerStatement, count - done);
    await insert(numbers(done, size));
    if (count > rowsPerStatement) progress(`${what}: ${done + size} of ${count}`);
  }
}

async function fillAccounts(
  connection: Connection,
  { account, trade }: Tables,
  { accounts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions(accounts, "accounts", progress, async (n) => {
    await connection.query(
      `INSERT INTO ${account} (user_id, current_balance, total_charged)
       SELECT ${firstSender} + n, ${coins}, ${coins} FROM ${n}`,
    );
    await connection.query(
      `INSERT INTO ${trade} (user_id, num, type, status, biz_id, balance_after)
       SELECT ${firstSender} + n, ${coins}, 1, 1, MD5(CONCAT('seed-', n)), ${coins} FROM ${n}`,
    );
  });
}

async function fillTrades(
  connection: Connection,
  { trade }: Tables,
  { accounts, gifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions(gifts, "recharges and gifts", progress, async (n) => {
    await connection.query(
      `INSERT INTO ${trade} (user_id, num, type, status, biz_id, balance_after)
       SELECT ${userOf(accounts)}, ${giftPrice}, 1, 1, MD5(CONCAT('recharge-', n)), ${coins + giftPrice} FROM ${n}`,
    );
    await connection.query(
      `INSERT INTO ${trade}
         (user_id, num, type, status, biz_id, counterparty_id, counterparty_income_points, balance_after)
       SELECT ${userOf(accounts)}, -${giftPrice}, 0, 1, ${orderOf}, ${anchorOf}, ${incomePoints}, ${coins} FROM ${n}`,
    );
  });
}

async function fillRecords(
  connection: Connection,
  { record }: Tables,
  { accounts, gifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions(gifts, "records", progress, (n) =>
    connection.query(
      `INSERT INTO ${record} (order_id, user_id, object_id, room_id, gift_id, count, price, status, income_points,
         content_hash, send_time)
       SELECT ${orderOf}, ${userOf(accounts)}, ${anchorOf}, n % ${rooms} + 1, 22, 1, ${giftPrice}, 1, ${incomePoints},
         MD5(n % ${rooms}), UTC_TIMESTAMP(3) FROM ${n}`,
    ),
  );
}

/** Waits until the server has flushed the filled rows to disk, so that it does not do so during a measurement. */
export async function flushBooks(progress: (line: string) => void): Promise<void> {
  const connection = await openConnection(config().MYSQL_URL);
  const numberOf = async (sql: string) => {
    const [rows] = await connection.query(sql);
    return Number((rows as { Value: string }[])[0]?.Value ?? 0);
  };
  const dirty = () => numberOf("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'");
  progress(`waiting until all is on disk: ${await dirty()} pages`);
  const before: [name: string, value: number][] = [];
  for (const [name, value] of hurry) {
    before.unshift([name, await numberOf(`SHOW GLOBAL VARIABLES LIKE '${name}'`)]);
    await connection.query(`SET GLOBAL ${name} = ${value}`);
  }
  try {
    if (!(await becomesTrue(async () => (await dirty()) < dirtyPagesLeft, flushDeadlineMs, 100)))
      progress(`${await dirty()} pages are still to be written: what is measured next suffers from it`);
  } finally {
    for (const [name, value] of before) await connection.query(`SET GLOBAL ${name} = ${value}`);
    await connection.end();
  }
}
