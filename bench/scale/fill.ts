import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { giftPrice, rooms } from "../settle/gifts.ts";
import { firstSender } from "../support/seed.ts";
import { emptyArchives, fillArchives } from "./fill-archive.ts";
import { anchorOf, coins, type Filled, incomePoints, inPortions, orderOf, type Tables, userOf } from "./history.ts";
import { withoutIndexes } from "./indexes.ts";

const dirtyPagesLeft = 200;
const flushDeadlineMs = 5 * 60_000;
/** Settings that make the server flush all dirty pages, in the order in which they may be set. */
const hurry = [
  ["innodb_io_capacity_max", 40_000],
  ["innodb_io_capacity", 20_000],
  ["innodb_max_dirty_pages_pct", 0],
] as const;

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
    await emptyArchives(connection, tables);
    if (past.archivedGifts > 0) await fillArchives(connection, tables, past, progress);
    await withoutIndexes(connection, tables.trade, async () => {
      await fillAccounts(connection, tables, past, progress);
      await fillTrades(connection, tables, past, progress);
      if (past.gifts > 0) progress("ledger: making the indexes");
    });
    await withoutIndexes(connection, tables.record, async () => {
      await fillRecords(connection, tables, past, progress);
      if (past.gifts > 0) progress("records: making the indexes");
    });
    for (const table of [tables.trade, `${tables.trade}_archive`])
      await connection.query(
        `INSERT INTO ${tables.income} (user_id, earned_points) SELECT counterparty_id, SUM(counterparty_income_points)
         FROM ${table} WHERE type = 0 GROUP BY counterparty_id
         ON DUPLICATE KEY UPDATE earned_points = earned_points + VALUES(earned_points)`,
      );
    await connection.query(
      `INSERT INTO ${tables.posting} (anchor_id, kind, points, biz_id)
       SELECT user_id, 0, earned_points, CONCAT('gifts:past:', user_id) FROM ${tables.income}`,
    );
  } finally {
    await connection.end();
  }
}

async function fillAccounts(
  connection: Connection,
  { account, trade }: Tables,
  { accounts, archivedGifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions([0, accounts], "accounts", progress, async (n) => {
    await connection.query(
      `INSERT INTO ${account} (user_id, current_balance, total_charged)
       SELECT ${firstSender} + n, ${coins}, ${coins} FROM ${n}`,
    );
    // Where anything is archived, their recharges are: see fill-archive.ts.
    if (archivedGifts > 0) return;
    await connection.query(
      `INSERT INTO ${trade} (user_id, num, type, status, biz_id, balance_after)
       SELECT ${firstSender} + n, ${coins}, 1, 1, MD5(CONCAT('seed-', n)), ${coins} FROM ${n}`,
    );
  });
}

async function fillTrades(
  connection: Connection,
  { trade }: Tables,
  { accounts, gifts, archivedGifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions([archivedGifts, gifts], "recharges and gifts", progress, async (n) => {
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
  { accounts, gifts, archivedGifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  await inPortions([archivedGifts, gifts], "records", progress, (n) =>
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
