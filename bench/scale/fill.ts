import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { giftPrice, rooms } from "../settle/gifts.ts";
import { firstSender } from "../support/seed.ts";
import { telling } from "../support/telling.ts";
import { emptyArchives, fillArchives } from "./fill-archive.ts";
import { anchorOf, coins, type Filled, incomePoints, inPortions, orderOf, type Tables, userOf } from "./history.ts";

/** Older than what gift nodes add up by the minute: they would read it while something is measured. */
const settledTime = "UTC_TIMESTAMP(3) - INTERVAL 1 DAY";

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
    // With their indexes, as rows come to a hot table: indexes that are made afterwards have pages without room, and the
    // first gifts would split all of them.
    await fillAccounts(connection, tables, past, progress);
    await fillTrades(connection, tables, past, progress);
    await fillRecords(connection, tables, past, progress);
    await telling("adding up incomes", progress, async () => {
      for (const table of [tables.trade, `${tables.trade}_archive`])
        await connection.query(
          `INSERT INTO ${tables.income} (user_id, earned_points) SELECT counterparty_id, SUM(counterparty_income_points)
           FROM ${table} WHERE type = 0 GROUP BY counterparty_id
           ON DUPLICATE KEY UPDATE earned_points = earned_points + VALUES(earned_points)`,
        );
    });
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
         content_hash, send_time, update_time)
       SELECT ${orderOf}, ${userOf(accounts)}, ${anchorOf}, n % ${rooms} + 1, 22, 1, ${giftPrice}, 1, ${incomePoints},
         MD5(n % ${rooms}), ${settledTime}, ${settledTime} FROM ${n}`,
    ),
  );
}
